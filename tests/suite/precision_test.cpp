// SPDX-License-Identifier: MIT
// Whole runs in low precision: the training cases' losses, rates and dev logits within what
// rounding may do, on any number of ranks; and the scale of float16's losses.
#include "suite/training/precision.h"

#include <gtest/gtest.h>

#include "tests/suite/parity.h"
#include "tests/support/other_device.h"
#include "tests/support/test_data.h"

namespace kdbench::precision_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Stated tolerances of a run against the case's float32 numbers.
struct Tolerance {
  const char* precision;
  double loss, grad_norm, logits;  // relative, relative, absolute
};
constexpr Tolerance kTolerances[] = {{"bf16", 0.05, 0.15, 0.1}, {"fp16", 0.004, 0.02, 0.01}};

class LowPrecisionRun : public ::testing::TestWithParam<std::tuple<const char*, Tolerance>> {};

void expect_like(const json& step, const json& expected, const Tolerance& tolerance) {
  const std::string where = " at step " + expected.at("step").dump();
  for (const std::string model : {"", "teacher_"}) {
    if (!expected.contains(model + "loss")) continue;
    const auto expect = [&](const std::string& key, double relative) {
      const double value = expected.at(model + key);
      EXPECT_NEAR(step.at(model + key), value, relative * std::abs(value) + 2e-3)
          << model << key << where;
    };
    expect("loss", tolerance.loss);
    expect("learning_rate", 1e-6);
    expect("grad_norm", tolerance.grad_norm);
    EXPECT_FALSE(step.contains(model + "skipped")) << where;
  }
}

void expect_curve_of_float32(const char* name, const Tolerance& tolerance, const Control& control,
                             const testing::CasePlace& place) {
  const fs::path folder = testing::test_data("parity") / name;
  fs::path out = fs::temp_directory_path() / ("kdbench-precision-" + std::string(name));
  out = control.broadcast(out.string() + "-" + std::to_string(::getpid()));
  const ExperimentRuns result =
      testing::run_case(folder, {std::string("train.precision=\"") + tolerance.precision + "\""},
                        out, control, place);
  EXPECT_EQ(result.failed, 0);
  if (control.root()) {
    const fs::path run = testing::student_folder(result.folder);
    const auto expected = testing::read_lines(folder / "expected.jsonl");
    const auto steps = testing::of_type(testing::read_lines(run / "events.jsonl"), "step");
    auto wanted = expected;
    wanted.pop_back();
    wanted = testing::of_type(wanted, "step");
    ASSERT_EQ(steps.size(), wanted.size());
    for (size_t i = 0; i < steps.size(); ++i) expect_like(steps[i], wanted[i], tolerance);
    const auto logits = testing::read_logits(testing::DevFiles(run).logits);
    const json& want = expected.back().at("logits");
    for (size_t row = 0; row < logits.size(); ++row) {
      for (size_t c = 0; c < logits[row].size(); ++c) {
        const json& value = want[row].is_array() ? want[row][c] : want[row];
        EXPECT_NEAR(logits[row][c], value.get<double>(), tolerance.logits) << row << "," << c;
      }
    }
    fs::remove_all(out);
  }
  control.barrier();
}

TEST_P(LowPrecisionRun, FollowsTheCurveOfFloat32) {
  const auto& [name, tolerance] = GetParam();
  const Control control(MPI_COMM_WORLD);
  expect_curve_of_float32(name, tolerance, control,
                          {at::kCPU, make_collectives(control, at::kCPU)});
}

TEST(OtherDeviceInLowPrecision, FollowsTheCurveOfFloat32) {
  const std::string why = testing::no_other_device();
  if (!why.empty()) GTEST_SKIP() << why;
  const Control control(MPI_COMM_WORLD);
  for (const auto& tolerance : kTolerances) {
    for (const char* name : {"kd-mnli", "fsd-ilg-rte"})
      expect_curve_of_float32(name, tolerance, control, testing::other_device(control));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, LowPrecisionRun,
                         ::testing::Combine(::testing::Values("finetune-cola", "kd-mnli",
                                                              "pkd-skip-rte", "annealing-rte",
                                                              "prokt-rte", "fsd-ilg-rte"),
                                            ::testing::ValuesIn(kTolerances)),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::get<1>(info.param).precision;
                         });

// Scores have large losses: at first their scaled gradients overflow, on all ranks alike.
TEST(Float16Run, LeavesOutStepsThatOverflowAndCountsThem) {
  const Control control(MPI_COMM_WORLD);
  fs::path out = fs::temp_directory_path() / "kdbench-precision-skipped";
  out = control.broadcast(out.string() + "-" + std::to_string(::getpid()));
  const ExperimentRuns result = testing::run_case(testing::test_data("parity/finetune-stsb"),
                                                  {"train.precision=\"fp16\""}, out, control);
  EXPECT_EQ(result.failed, 0);
  if (control.root()) {
    const fs::path run = testing::student_folder(result.folder);
    const auto steps = testing::of_type(testing::read_lines(run / "events.jsonl"), "step");
    const auto skipped = std::count_if(steps.begin(), steps.end(), [](const json& step) {
      EXPECT_EQ(step.contains("skipped"), step.at("grad_norm").is_null());
      return step.contains("skipped");
    });
    EXPECT_TRUE(steps.front().contains("skipped"));
    EXPECT_FALSE(steps.back().contains("skipped"));
    EXPECT_EQ(testing::DevFiles(run).record.at("counts").at("skipped_steps"), skipped);
    fs::remove_all(out);
  }
  control.barrier();
}

TEST(LossScale, IsOneUnlessTheRangeIsSmall) {
  for (const char* name : {"fp32", "bf16"}) {
    LossScale scale(type_of(name));
    EXPECT_EQ(scale.value(), 1.0);
    EXPECT_TRUE(scale.takes(INFINITY));  // what is not finite is then the training's own
  }
}

TEST(LossScale, HalvesWhereGradientsOverflowAndDoublesAfterMany) {
  LossScale scale(at::kHalf);
  const double first = scale.value();
  EXPECT_FALSE(scale.takes(INFINITY));
  EXPECT_FALSE(scale.takes(NAN));
  EXPECT_EQ(scale.value(), first / 4);
  for (int step = 0; step < 1999; ++step) ASSERT_TRUE(scale.takes(1.0));
  EXPECT_EQ(scale.value(), first / 4);
  EXPECT_TRUE(scale.takes(1.0));
  EXPECT_EQ(scale.value(), first / 2);
  while (scale.value() > 1.0) EXPECT_FALSE(scale.takes(INFINITY));
  EXPECT_TRUE(scale.takes(INFINITY));  // and the run fails
}

}  // namespace
}  // namespace kdbench::precision_test
