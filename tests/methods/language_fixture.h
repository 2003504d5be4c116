// SPDX-License-Identifier: MIT
// A language model of the fixtures, with its rows and what another program computed of them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/base/json_file.h"
#include "io/weights/safetensors.h"
#include "methods/models/initialization.h"
#include "methods/models/language_model.h"
#include "tests/methods/op_check.h"
#include "tests/methods/small_batch.h"

namespace kdbench::testing {

using Ids = std::vector<int64_t>;

struct LanguageFixture {
  std::filesystem::path folder;
  std::unique_ptr<LanguageModel> model;
  std::vector<Ids> rows;
  TensorMap expected;

  explicit LanguageFixture(const std::filesystem::path& path) : folder(path) {
    ModelSpec spec;
    spec.config = read_model_config(folder);
    model = make_language_model(spec);
    const LoadReport report = initialize_from_checkpoint(*model, folder, "weights");
    EXPECT_TRUE(report.missing.empty());
    EXPECT_TRUE(report.unexpected.empty());
    std::ifstream lines(folder / "rows.jsonl");
    for (std::string line; std::getline(lines, line);)
      rows.push_back(nlohmann::json::parse(line).at("ids").get<Ids>());
    expected = read_safetensors(folder / "expected.safetensors");
  }

  // Of rows first .. first + count - 1, whose row ids are their numbers.
  Batch batch(int64_t first, int64_t count) const {
    std::vector<int64_t> ids(count);
    for (int64_t i = 0; i < count; ++i) ids[i] = first + i;
    return make_batch({rows.begin() + first, rows.begin() + first + count}, ids, ids);
  }
  Batch batch() const { return batch(0, static_cast<int64_t>(rows.size())); }
};

// Losses and gradients, of all rows at once and of parts of them one after the other: what ranks
// and micro-batches do.
inline void expect_losses_and_gradients(LanguageFixture& fixture) {
  LanguageModel& model = *fixture.model;
  const TensorMap& expected = fixture.expected;
  const auto count = static_cast<int64_t>(fixture.rows.size());
  const auto all = static_cast<double>(expected.at("target_logprobs").size(0));
  const auto gradients = nlohmann::json::parse(std::ifstream(fixture.folder / "gradients.json"));
  for (const int64_t part : {count, int64_t{3}, int64_t{1}}) {
    model.parameters().zero_gradients();
    std::vector<at::Tensor> losses;
    for (int64_t first = 0; first < count; first += part) {
      const at::Tensor some =
          model.target_losses(fixture.batch(first, std::min(part, count - first)), {});
      (some.sum() / all).backward();
      losses.push_back(some.detach());
    }
    const at::Tensor together = at::cat(losses);
    EXPECT_LT(largest(together + expected.at("target_logprobs")), 1e-4);
    const auto loss = expected.at("loss").item<double>();
    EXPECT_NEAR(together.mean().item<double>(), loss, 1e-4 * loss + 1e-6);
    for (const auto& [file_name, about] : gradients.items()) {
      const std::string prefix = "transformer.";
      const std::string name =
          file_name.starts_with(prefix) ? file_name.substr(prefix.size()) : file_name;
      const Segment& segment = model.parameters().layout().segment(name);
      const at::Tensor gradient =
          model.parameters().gradients().narrow(0, segment.offset, segment.size);
      const auto scale = about.at("largest").get<double>();
      const at::Tensor stored = expected.at("grad." + file_name).view({-1});
      const at::Tensor chosen =
          gradient.index({at::indexing::Slice(0, {}, about.at("stride").get<int64_t>())});
      ASSERT_EQ(chosen.sizes(), stored.sizes()) << name;
      EXPECT_LT(largest(chosen - stored), 1e-3 * scale + 1e-6) << name << " in parts of " << part;
      const auto norm = about.at("norm").get<double>();
      EXPECT_NEAR(gradient.norm().item<double>(), norm, 1e-3 * norm) << name;
    }
  }
  model.parameters().zero_gradients();
}

}  // namespace kdbench::testing
