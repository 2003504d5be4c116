// SPDX-License-Identifier: MIT
// Methods that can do without hard labels: which weights they need for it, and what is then left.
#include <gtest/gtest.h>

#include "methods/kd.h"
#include "methods/registry.h"

namespace kdbench::soft_labels_test {
namespace {

// Whether the method takes labels when `key` has this value and all else its default.
bool takes_labels(const std::string& name, const std::string& key, double value) {
  const MethodEntry& entry = find_method(name);
  std::map<std::string, OptionValue> values;
  for (const auto& spec : entry.options) values[spec.name] = spec.fallback;
  values.at(key) = value;
  return entry.make(Options(values))->takes_labels();
}

TEST(SoftLabels, WithoutAWeightForHardOnes) {
  for (const char* name : {"kd", "takd", "pkd"}) {
    EXPECT_FALSE(takes_labels(name, "alpha", 1.0)) << name;
    EXPECT_TRUE(takes_labels(name, "alpha", 0.9)) << name;
  }
  EXPECT_FALSE(takes_labels("d-lite", "ce_weight", 0.0));
  EXPECT_TRUE(takes_labels("d-lite", "ce_weight", 0.1));
  EXPECT_TRUE(takes_labels("fsd", "alpha", 0.0));
  EXPECT_TRUE(find_method("finetune").make(Options{})->takes_labels());
}

TEST(SoftLabels, DLiteAndDHeavyLearnFromTransferSetsByDefault) {
  const std::map<std::string, std::string> kinds{{"d-lite", transfer_kind::kRules},
                                                 {"d-heavy", transfer_kind::kLanguageModel}};
  for (const auto& method : all_methods()) {
    const auto kind = kinds.find(method.name);
    EXPECT_EQ(method.transfer, kind == kinds.end() ? "" : kind->second) << method.name;
  }
}

TEST(SoftLabels, TheSoftTermAloneIsLeft) {
  Batch batch;
  batch.global_rows = 2;
  const at::Tensor logits = at::tensor({1.f, -0.5f, 0.2f, 0.3f}).view({2, 2});
  const at::Tensor soft = at::tensor(3.f);
  const Loss unlabelled = soft_and_hard_loss(1.0, soft, logits, batch);
  EXPECT_EQ(unlabelled.total.item<float>(), 3.f);
  ASSERT_EQ(unlabelled.terms.size(), 1u);
  EXPECT_EQ(unlabelled.terms.front().first, "kd");
  batch.labels = at::tensor({0, 1}, at::kLong);
  const Loss labelled = soft_and_hard_loss(0.75, soft, logits, batch);
  ASSERT_EQ(labelled.terms.size(), 2u);
  EXPECT_EQ(labelled.terms.front().first, "ce");
  // (log(1 + exp(-1.5)) + log(1 + exp(-0.1))) / 2
  EXPECT_NEAR(labelled.terms.front().second.item<float>(), (0.201413f + 0.644397f) / 2, 1e-5);
  EXPECT_NEAR(labelled.total.item<float>(), 0.75 * 3 + 0.25 * 0.422905, 1e-5);
}

}  // namespace
}  // namespace kdbench::soft_labels_test
