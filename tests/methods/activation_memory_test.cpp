// SPDX-License-Identifier: MIT
// The activations that a plan counts against what a training pass allocates.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "methods/models/registry.h"
#include "tests/methods/small_batch.h"

namespace kdbench::activation_memory_test {
namespace {

// Counts the bytes of the tensors that are made while it lives.
class AllocationPeak : public c10::Allocator {
 public:
  AllocationPeak() : inner_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, kPriority); }
  ~AllocationPeak() override { c10::SetCPUAllocator(inner_, kPriority); }

  c10::DataPtr allocate(size_t bytes) override {
    auto* block = new Block{inner_->allocate(bytes), static_cast<int64_t>(bytes), this};
    live_ += block->bytes;
    peak_ = std::max(peak_, live_);
    return {block->data.get(), block, &release, c10::Device(c10::kCPU)};
  }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
  int64_t peak() const { return peak_; }

 private:
  struct Block {
    c10::DataPtr data;
    int64_t bytes;
    AllocationPeak* owner;
  };
  static void release(void* block) {
    const std::unique_ptr<Block> ended(static_cast<Block*>(block));
    ended->owner->live_ -= ended->bytes;
  }

  static constexpr uint8_t kPriority = 255;
  c10::Allocator* inner_;
  int64_t live_ = 0, peak_ = 0;
};

std::unique_ptr<Model> encoder(const std::string& name, int64_t layers, int64_t hidden) {
  ModelSpec spec;
  spec.config = find_architecture(name).defaults;
  spec.config.vocabulary = 50;
  spec.config.layers = layers;
  spec.config.hidden = hidden;
  spec.config.heads = hidden / 32;
  spec.config.intermediate = 4 * hidden;
  spec.outputs = 2;
  auto model = make_model(spec);
  initialize_parameters(*model, 1);
  return model;
}

// Rows of 24 to 55 tokens.
Batch rows_of_tokens(int64_t rows) {
  std::vector<std::vector<int64_t>> tokens;
  std::vector<int64_t> segments, ids;
  for (int64_t row = 0; row < rows; ++row) {
    tokens.emplace_back(24 + row * 7 % 32, 5);
    segments.push_back(12);
    ids.push_back(row);
  }
  return testing::make_batch(tokens, segments, ids);
}

int64_t peak_of_a_pass(Model& model, const Batch& batch) {
  ForwardMode mode;
  mode.training = true;
  const AllocationPeak peak;
  model.forward(batch, mode).logits.sum().backward();
  return peak.peak();
}

// A plan may promise too much memory, by a sixth, but never too little.
TEST(ActivationMemory, APlanCountsWhatAPassAllocates) {
  const Batch batch = rows_of_tokens(8);
  const auto tokens = static_cast<double>(batch.ragged_field(field::kTokens).values.size(0));
  for (const char* name : {"bert", "roberta"}) {
    for (const auto& [layers, hidden] : {std::pair{3, 128}, {6, 192}, {12, 128}}) {
      const auto model = encoder(name, layers, hidden);
      const auto floats =
          static_cast<double>(find_architecture(name).activation_floats(model->config()));
      const double counted = 4 * tokens * floats;
      const auto measured = static_cast<double>(peak_of_a_pass(*model, batch));
      EXPECT_LT(measured, counted) << name << ", " << layers << " layers, " << hidden << " wide";
      EXPECT_LT(counted, 7.0 / 6.0 * measured) << name << ", " << layers << ", " << hidden;
    }
  }
}

}  // namespace
}  // namespace kdbench::activation_memory_test
