// SPDX-License-Identifier: MIT
// What runs record, in the form of the parity tests' fixtures: a line an optimizer step, then one
// of the dev rows' logits and metrics.
#include <fmt/format.h>

#include "tests/data/make/make.h"
#include "tests/support/parity_case.h"
#include "tests/support/temp_folder.h"

namespace kdbench::make_data {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// With the nine digits that tell any float32.
json rounded(const json& value) {
  if (value.is_number_float()) return std::stod(fmt::format("{:.9g}", value.get<double>()));
  json result = value;
  if (value.is_structured()) {
    for (auto& item : result) item = rounded(item);
  }
  return result;
}

json step_of(const json& event) {
  json step;
  for (const char* key : {"phase", "epoch", "step", "loss", "terms", "learning_rate", "grad_norm",
                          "teacher_loss", "teacher_learning_rate", "teacher_grad_norm"}) {
    if (event.contains(key)) step[key] = event.at(key);
  }
  return step;
}

// The dev scores after an epoch, which choose the best weights.
json scores_of(const json& event) {
  return {{"type", "epoch_eval"},
          {"phase", event.at("phase")},
          {"epoch", event.at("epoch")},
          {"metrics", event.at("metrics").at("dev")}};
}

json evaluation_of(const fs::path& run) {
  const testing::DevFiles dev(run);
  json line{{"type", "eval"},
            {"split", "dev"},
            {"logits", testing::read_logits(dev.logits)},
            {"metrics", dev.metrics("last")}};
  if (fs::exists(dev.teacher_logits)) {
    line["teacher_logits"] = testing::read_logits(dev.teacher_logits);
    line["teacher_metrics"] = dev.metrics("teacher_last");
  }
  return line;
}

void make_case(const fs::path& folder) {
  const testing::TempFolder out;
  const Control control(MPI_COMM_SELF);
  const fs::path run =
      testing::student_folder(testing::run_case(folder, {}, out.path(), control).folder);
  const auto events = testing::read_lines(run / "events.jsonl");
  std::ofstream file(folder / "expected.jsonl");
  for (const auto& step : testing::of_type(events, "step")) file << rounded(step_of(step)) << "\n";
  if (folder.filename().string().starts_with("annealing-")) {
    for (const auto& scores : testing::of_type(events, "evaluation")) {
      file << rounded(scores_of(scores)) << "\n";
    }
  }
  file << rounded(evaluation_of(run)) << "\n";
}

}  // namespace

void make_expected(const fs::path& data) {
  for (const auto& entry : fs::directory_iterator(data / "parity")) make_case(entry.path());
}

}  // namespace kdbench::make_data
