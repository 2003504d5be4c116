// SPDX-License-Identifier: MIT
// The table of training keys against the settings that it fills, and the JSON that stages and runs
// are hashed by.
#include "suite/training/train_settings.h"

#include <gtest/gtest.h>

#include <set>

#include "io/base/sha256.h"

namespace kdbench {
namespace {

using nlohmann::json;

json json_of(const OptionValue& value) {
  return std::visit([](const auto& v) { return json(v); }, value);
}

json member_of(const TrainSettings& settings, const TrainKey& key) {
  return std::visit(
      [&](auto member) {
        const auto& value = settings.*member;
        if constexpr (std::is_same_v<decltype(value), const std::optional<double>&>) {
          return json(value.value());
        } else {
          return json(value);
        }
      },
      key.member);
}

// A value that is not the default, as if it had been read.
OptionValue another(const TrainKey& key) {
  const OptionSpec& spec = key.spec;
  if (const auto* flag = std::get_if<bool>(&spec.fallback)) return !*flag;
  if (std::holds_alternative<int64_t>(spec.fallback)) return int64_t{7};
  if (std::holds_alternative<double>(spec.fallback)) return 0.625;
  if (std::holds_alternative<std::string>(spec.fallback)) return std::string("other");
  return std::vector<int64_t>{4, 2};
}

TEST(TrainKeys, DefaultsAreThoseOfTheSettings) {
  const json defaults = to_json(TrainSettings{});
  for (const auto& key : train_keys()) {
    EXPECT_EQ(defaults.contains(key.spec.name), !key.later && key.shapes_result) << key.spec.name;
    if (key.later || !key.shapes_result) continue;
    const json expected = key.spec.absent.empty() ? json_of(key.spec.fallback) : json();
    EXPECT_EQ(defaults.at(key.spec.name), expected) << key.spec.name;
    EXPECT_FALSE(key.spec.meaning.empty() || key.spec.source.empty()) << key.spec.name;
  }
}

TEST(TrainKeys, EachWrittenValueReachesItsOwnMember) {
  std::set<std::string> names;
  for (const auto& key : train_keys()) {
    TrainSettings settings;
    const OptionValue value = another(key);
    overlay({{key.spec.name, value}}, settings);
    EXPECT_EQ(member_of(settings, key), json_of(value)) << key.spec.name;
    json expected = to_json(TrainSettings{});
    EXPECT_NE(expected.value(key.spec.name, json()), json_of(value)) << key.spec.name;
    if (key.shapes_result) expected[key.spec.name] = json_of(value);
    EXPECT_EQ(to_json(settings), expected) << key.spec.name;
    EXPECT_TRUE(names.insert(key.spec.name).second) << key.spec.name;
  }
}

TEST(TrainKeys, TheLaterLayerWins) {
  TrainSettings settings;
  overlay({{"epochs", int64_t{5}}, {"clip", 2.0}}, settings);
  overlay({{"epochs", int64_t{9}}, {"dropout", 0.0}}, settings);
  EXPECT_EQ(settings.epochs, 9);
  EXPECT_EQ(settings.clip, 2.0);
  EXPECT_EQ(settings.dropout, 0.0);
  EXPECT_EQ(settings.batch_size, 32);
}

TEST(TrainKeys, AdaDeltaIsConstantUnlessAScheduleIsWritten) {
  const TrainLayer adadelta{{"optimizer", std::string("adadelta")}}, other{{"epochs", int64_t{2}}};
  const TrainLayer linear{{"schedule", std::string("linear")}};
  EXPECT_EQ(settings_of({}).schedule, "linear");
  EXPECT_EQ(settings_of({&adadelta, &other}).schedule, "constant");
  EXPECT_EQ(settings_of({&linear, &adadelta}).schedule, "linear");
  EXPECT_EQ(settings_of({&adadelta, &linear}).schedule, "linear");
}

// Finished stages and runs are found by the hash of this text: it changes with their meaning only.
TEST(TrainSettings, JsonKeepsItsBytes) {
  TrainSettings settings;
  EXPECT_EQ(to_json(settings).dump(),
            R"({"batch_size":32,"best_metric":"auto","checkpoint":"last","clip":1.0,)"
            R"("dropout":null,"epochs":3,"eval_steps":0,"learning_rate":5e-05,"micro_batch":0,)"
            R"("optimizer":"adamw","precision":"fp32","schedule":"linear","seeds":[1],)"
            R"("shuffle":true,"warmup":0.1,"weight_decay":0.01})");
  settings.dropout = 0.1;
  settings.learning_rate = 1.0;
  settings.seeds = {3, 1};
  EXPECT_EQ(sha256(to_json(settings).dump()),
            "bf8c2e6873a37d25dff6e7bfc5507aa8363ff53020de66c1862e2b67a2dbfa17");
}

}  // namespace
}  // namespace kdbench
