// SPDX-License-Identifier: MIT
// Whole runs against the numbers of a case: losses, terms, rates, gradient norms, dev logits and
// metrics, through the same path as `kdbench run`, on as many ranks as the test is started with.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/parity_case.h"

namespace kdbench::parity {

namespace fs = std::filesystem;
using nlohmann::json;

inline void expect_close(const json& actual, const json& expected, double relative, double absolute,
                         const std::string& what) {
  EXPECT_NEAR(actual.get<double>(), expected.get<double>(),
              relative * std::abs(expected.get<double>()) + absolute)
      << what;
}

inline void expect_step(const json& actual, const json& expected) {
  const std::string where = " at step " + expected.at("step").dump();
  for (const char* key : {"phase", "epoch", "step"})
    EXPECT_EQ(actual.at(key), expected.at(key)) << key << where;
  for (const std::string model : {"", "teacher_"}) {
    const auto expect = [&](const std::string& key, double relative, double absolute) {
      const std::string name = model + key;
      ASSERT_EQ(actual.contains(name), expected.contains(name)) << name << where;
      if (!expected.contains(name)) return;
      expect_close(actual.at(name), expected.at(name), relative, absolute, name + where);
    };
    expect("loss", 1e-4, 1e-6);
    expect("learning_rate", 1e-6, 1e-12);
    expect("grad_norm", 1e-3, 1e-5);
  }
  ASSERT_EQ(actual.at("terms").size(), expected.at("terms").size());
  for (const auto& [name, value] : expected.at("terms").items()) {
    expect_close(actual.at("terms").at(name), value, 1e-4, 1e-6, name + where);
  }
}

// The dev scores after an epoch.
inline void expect_scores(const std::vector<json>& events, const json& expected) {
  for (const auto& event : testing::of_type(events, "evaluation")) {
    if (event.at("phase") != expected.at("phase") || event.at("epoch") != expected.at("epoch"))
      continue;
    for (const auto& [name, value] : expected.at("metrics").items())
      expect_close(event.at("metrics").at("dev").at(name), value, 0, 1e-4, name);
    return;
  }
  ADD_FAILURE() << "no scores like " << expected;
}

inline void expect_logits(const fs::path& file, const json& expected) {
  const auto logits = testing::read_logits(file);
  ASSERT_EQ(logits.size(), expected.size());
  for (size_t row = 0; row < logits.size(); ++row) {
    const json& want = expected[row];
    ASSERT_EQ(logits[row].size(), want.is_array() ? want.size() : 1) << file;
    for (size_t c = 0; c < logits[row].size(); ++c) {
      EXPECT_NEAR(logits[row][c], (want.is_array() ? want[c] : want).get<double>(), 1e-3)
          << row << "," << c;
    }
  }
}

// Decisions are equal; correlations move with the logits' last digits.
inline void expect_metrics(const json& actual, const json& expected) {
  for (const auto& [name, value] : expected.items()) {
    const bool correlation = name == "pearson" || name == "spearman";
    expect_close(actual.at(name), value, 0, correlation ? 1e-4 : 1e-9, name);
  }
}

inline void expect_run(const fs::path& run, const fs::path& expected_file) {
  std::vector<json> expected = testing::read_lines(expected_file);
  const json evaluation = expected.back();
  expected.pop_back();
  const std::vector<json> events = testing::read_lines(run / "events.jsonl");
  const auto steps = testing::of_type(events, "step"), wanted = testing::of_type(expected, "step");
  ASSERT_EQ(steps.size(), wanted.size());
  for (size_t i = 0; i < steps.size(); ++i) expect_step(steps[i], wanted[i]);
  for (const auto& scores : testing::of_type(expected, "epoch_eval")) expect_scores(events, scores);

  const testing::DevFiles dev(run);
  expect_logits(dev.logits, evaluation.at("logits"));
  expect_metrics(dev.metrics("last"), evaluation.at("metrics"));
  if (!evaluation.contains("teacher_logits")) return;
  expect_logits(dev.teacher_logits, evaluation.at("teacher_logits"));
  expect_metrics(dev.metrics("teacher_last"), evaluation.at("teacher_metrics"));
}

inline void reproduce(const fs::path& folder, const std::vector<std::string>& overrides,
                      const Control& control, const testing::CasePlace& place) {
  fs::path out = fs::temp_directory_path() / ("kdbench-parity-" + folder.filename().string());
  out = control.broadcast(out.string() + "-" + std::to_string(::getpid()));
  const ExperimentRuns result = testing::run_case(folder, overrides, out, control, place);
  EXPECT_EQ(result.failed, 0);
  if (control.root()) {
    expect_run(testing::student_folder(result.folder), folder / "expected.jsonl");
    fs::remove_all(out);
  }
  control.barrier();
}

inline void reproduce(const fs::path& folder, const std::vector<std::string>& overrides) {
  const Control control(MPI_COMM_WORLD);
  reproduce(folder, overrides, control, {at::kCPU, make_collectives(control, at::kCPU)});
}

inline constexpr const char* kCases[] = {"finetune-rte",
                                         "finetune-cola",
                                         "finetune-stsb",
                                         "finetune-cola-decay",
                                         "kd-rte",
                                         "finetune-rte-bertadam",
                                         "kd-mnli",
                                         "pkd-skip-rte",
                                         "pkd-last-rte",
                                         "pkd-skip-normalized-rte",
                                         "annealing-rte",
                                         "pkd-last-normalized-mnli",
                                         "annealing-stsb",
                                         "prokt-rte",
                                         "fsd-i-rte",
                                         "fsd-i-logofmean-cola",
                                         "fsd-l-rte",
                                         "fsd-g-cola",
                                         "fsd-il-stsb",
                                         "fsd-ilg-rte",
                                         "d-lite-rte",
                                         "d-lite-cola",
                                         "prokt-bilstm-rte",
                                         "prokt-bilstm-cola",
                                         "d-lite-cola-multichannel"};

// A case's name as GoogleTest takes names.
inline std::string name_of(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// The cases bring the teacher's outputs in a file; our teacher, run by our stage, must give the
// same ones, also when other methods make the stage store more layers.
inline void expect_same_of_our_teacher(const fs::path& cases) {
  reproduce(cases / "pkd-skip-rte", {"method.pkd.teacher_outputs=\"store\""});
}

// A teacher that runs beside the student gives what a store would; a memory's rows are trained from
// such states too.
inline void expect_same_of_a_teacher_beside(const fs::path& cases) {
  for (const std::string name : {"kd-mnli", "pkd-skip-rte", "fsd-ilg-rte"}) {
    const std::string method = name.substr(0, name.find('-'));
    reproduce(cases / name, {"method." + method + ".teacher_outputs=\"online\""});
  }
}

// An assistant that is the teacher itself changes nothing.
inline void expect_takd_is_kd(const fs::path& cases, const fs::path& teacher) {
  reproduce(cases / "kd-rte",
            {"method.kd.name=\"takd\"", "assistant.weights=\"" + teacher.string() + "\""});
}

}  // namespace kdbench::parity
