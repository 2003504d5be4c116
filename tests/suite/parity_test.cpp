// SPDX-License-Identifier: MIT
// Whole runs against an independent implementation's numbers: losses, terms, rates, gradient norms,
// dev logits and metrics, through the same path as `kdbench run`, on as many ranks as the test is
// started with.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "suite/walks/make.h"
#include "tests/support/shared_data.h"

namespace kdbench::parity_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<json> read_lines(const fs::path& path) {
  std::ifstream file(path);
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

std::vector<std::vector<double>> read_logits(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);  // header
  std::vector<std::vector<double>> rows;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    double cell = 0;
    cells >> cell;  // row id
    rows.emplace_back();
    while (cells >> cell) rows.back().push_back(cell);
  }
  return rows;
}

void expect_close(const json& actual, const json& expected, double relative, double absolute,
                  const std::string& what) {
  EXPECT_NEAR(actual.get<double>(), expected.get<double>(),
              relative * std::abs(expected.get<double>()) + absolute)
      << what;
}

void expect_step(const json& actual, const json& expected) {
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

// Lines of one type; a step of the fixtures has none.
std::vector<json> of_type(const std::vector<json>& lines, const std::string& type) {
  std::vector<json> found;
  for (const auto& line : lines) {
    if (line.value("type", "step") == type) found.push_back(line);
  }
  return found;
}

// The dev scores after an epoch.
void expect_scores(const std::vector<json>& events, const json& expected) {
  for (const auto& event : of_type(events, "evaluation")) {
    if (event.at("phase") != expected.at("phase") || event.at("epoch") != expected.at("epoch"))
      continue;
    for (const auto& [name, value] : expected.at("metrics").items())
      expect_close(event.at("metrics").at("dev").at(name), value, 0, 1e-4, name);
    return;
  }
  ADD_FAILURE() << "no scores like " << expected;
}

fs::path student_folder(const fs::path& experiment) {
  for (const auto& entry : fs::directory_iterator(experiment)) {
    const std::string name = entry.path().filename().string();
    const auto is = [&](const char* role) { return name.find(role) != std::string::npos; };
    const bool is_run = fs::exists(entry.path() / "run.json");
    if (is_run && !is("-teacher-") && !is("-assistant-")) return entry.path();
  }
  return {};
}

void expect_logits(const fs::path& file, const json& expected) {
  const auto logits = read_logits(file);
  ASSERT_EQ(logits.size(), expected.size());
  for (size_t row = 0; row < logits.size(); ++row) {
    for (size_t c = 0; c < logits[row].size(); ++c) {
      const json& want = expected[row];
      EXPECT_NEAR(logits[row][c], (want.is_array() ? want[c] : want).get<double>(), 1e-3)
          << row << "," << c;
    }
  }
}

// Decisions are equal; correlations move with the logits' last digits.
void expect_metrics(const json& actual, const json& expected) {
  for (const auto& [name, value] : expected.items()) {
    const bool correlation = name == "pearson" || name == "spearman";
    expect_close(actual.at(name), value, 0, correlation ? 1e-4 : 1e-9, name);
  }
}

void expect_run(const fs::path& run, const fs::path& expected_file) {
  std::vector<json> expected = read_lines(expected_file);
  const json evaluation = expected.back();
  expected.pop_back();
  const std::vector<json> events = read_lines(run / "events.jsonl");
  const auto steps = of_type(events, "step"), wanted = of_type(expected, "step");
  ASSERT_EQ(steps.size(), wanted.size());
  for (size_t i = 0; i < steps.size(); ++i) expect_step(steps[i], wanted[i]);
  for (const auto& scores : of_type(expected, "epoch_eval")) expect_scores(events, scores);

  std::ifstream file(run / "run.json");
  const json record = json::parse(file);
  const std::string task = record.at("task");
  const std::string split = task == "MNLI" ? "dev_matched" : "dev";
  const std::string stem = (run / "predictions" / (task + "-" + split)).string();
  expect_logits(stem + "-logits.tsv", evaluation.at("logits"));
  expect_metrics(record.at("metrics").at("last").at(split), evaluation.at("metrics"));
  if (!evaluation.contains("teacher_logits")) return;
  expect_logits(stem + "-teacher-logits.tsv", evaluation.at("teacher_logits"));
  expect_metrics(record.at("metrics").at("teacher_last").at(split),
                 evaluation.at("teacher_metrics"));
}

void reproduce(const fs::path& folder, const std::vector<std::string>& overrides) {
  const Control control(MPI_COMM_WORLD);
  const auto collectives = make_collectives(control, at::kCPU);
  fs::path out = fs::temp_directory_path() / ("kdbench-parity-" + folder.filename().string());
  out = control.broadcast(out.string() + "-" + std::to_string(::getpid()));
  const Workspace workspace{control, *collectives, at::kCPU, 1, out, "parity test"};
  const Experiment experiment = load_experiment(folder / "experiment.toml", overrides);
  const ExperimentRuns result = make_experiment(experiment, workspace);
  EXPECT_EQ(result.failed, 0);
  if (control.root()) {
    expect_run(student_folder(result.folder), folder / "expected.jsonl");
    fs::remove_all(out);
  }
  control.barrier();
}

class Parity : public ::testing::TestWithParam<const char*> {};

TEST_P(Parity, Reproduces) {
  KDBENCH_NEED_SHARED(folder, fs::path("fixtures/parity") / GetParam());
  reproduce(folder, {});
}

// The fixtures bring the teacher's outputs in a file; our teacher, run by our stage, must give the
// same ones, also when other methods make the stage store more layers.
TEST(ParityOfStages, OurTeacherGivesTheSameOutputs) {
  KDBENCH_NEED_SHARED(folder, fs::path("fixtures/parity/pkd-skip-rte"));
  reproduce(folder, {"method.pkd.teacher_outputs=\"store\""});
}

// A teacher that runs beside the student gives what a store would; a memory's rows are trained from
// such states too.
TEST(ParityOfStages, ATeacherBesideTheStudentGivesTheSameOutputs) {
  for (const char* name : {"kd-mnli", "pkd-skip-rte", "fsd-ilg-rte"}) {
    KDBENCH_NEED_SHARED(folder, fs::path("fixtures/parity") / name);
    const std::string method = std::string(name).substr(0, std::string(name).find('-'));
    reproduce(folder, {"method." + method + ".teacher_outputs=\"online\""});
  }
}

// An assistant that is the teacher itself changes nothing.
TEST(ParityOfStages, ByWayOfTheTeacherItselfTakdIsKd) {
  KDBENCH_NEED_SHARED(folder, fs::path("fixtures/parity/kd-rte"));
  reproduce(folder, {"method.kd.name=\"takd\"",
                     "assistant.weights=\"" + (folder / "teacher").string() + "\""});
}

INSTANTIATE_TEST_SUITE_P(Cases, Parity,
                         ::testing::Values("finetune-rte", "finetune-cola", "finetune-stsb",
                                           "finetune-cola-decay", "finetune-rte-bertadam", "kd-rte",
                                           "kd-mnli", "pkd-skip-rte", "pkd-skip-normalized-rte",
                                           "pkd-last-rte", "pkd-last-normalized-mnli",
                                           "annealing-rte", "annealing-stsb", "prokt-rte",
                                           "fsd-i-rte", "fsd-i-logofmean-cola", "fsd-l-rte",
                                           "fsd-g-cola", "fsd-il-stsb", "fsd-ilg-rte"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace kdbench::parity_test
