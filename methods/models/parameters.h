// SPDX-License-Identifier: MIT
// One flat layout per model, shared by values, gradients and optimizer moments. Segments stand in
// reverse order of use, so that the gradients finished first in backward come first in the buffer.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/weights/safetensors.h"

namespace kdbench {

// A parameter that a method adds to a model's layout (a projection, a memory). It is trained like
// the others, but belongs to no checkpoint.
struct ExtraParameter {
  std::string name;
  std::vector<int64_t> shape;
  std::optional<double> deviation = std::nullopt;  // of its first values; none: the model's own
};

struct Segment {
  std::string name;
  std::vector<int64_t> shape;
  int64_t offset = 0;  // in floats from the buffer's start
  int64_t size = 0;
  bool decay = true;  // weight decay applies
  std::string
      stack;  // first name of the block that it was declared in; its own name outside a stack
  bool extra = false;  // an ExtraParameter
  // A table with a row for each token id, read by lookup alone: a batch leaves a gradient in the
  // rows of its own tokens and in no others.
  bool token_table = false;
  std::optional<double> deviation = std::nullopt;
};

// Whether weight decay applies to the parameter of this name.
using DecayRule = std::function<bool(const std::string& name)>;

class ParameterLayout {
 public:
  // Without a rule everything decays.
  explicit ParameterLayout(DecayRule decays = nullptr) : decays_(std::move(decays)) {}

  // Declares a tensor; call in order of first use in the forward pass.
  void add(std::string name, std::vector<int64_t> shape);
  // Declares equally wide tensors that are used as one: rows stacked in the given order, contiguous
  // in the buffer (query, key and value weights as one GEMM operand). All get the same shape.
  void add_stacked(const std::vector<std::string>& names, std::vector<int64_t> shape);
  // (tokens, width): see Segment::token_table.
  void add_token_table(std::string name, std::vector<int64_t> shape);
  void add_extra(const ExtraParameter& extra);
  // A tensor that belongs to the model and its checkpoint but is not learned: outside the buffers.
  void add_constant(std::string name, std::vector<int64_t> shape);
  // Assigns offsets. No declaration after it.
  void freeze();

  bool frozen() const { return frozen_; }
  const std::vector<Segment>& segments() const { return segments_; }  // in buffer order
  const std::vector<Segment>& constants() const { return constants_; }
  // Both.
  std::vector<Segment> tensors() const;
  // Of either.
  const Segment& segment(const std::string& name) const;
  bool contains(const std::string& name) const { return find(name) != nullptr; }
  int64_t buffer_size() const {
    return buffer_size_;
  }                                 // floats, with the alignment gaps (zeros, inert)
  int64_t parameter_count() const;  // constants too
  int64_t constant_count() const;

 private:
  struct Block {
    std::vector<Segment> segments;
  };
  // Null when there is none of that name.
  const Segment* find(const std::string& name) const;

  DecayRule decays_;
  std::vector<Block> declared_;
  std::vector<Segment> segments_, constants_;
  std::map<std::string, size_t> index_;
  int64_t buffer_size_ = 0;
  bool frozen_ = false;
};

// Values and gradients of one model: two flat float32 buffers and leaf tensors that are views into
// them; constants by themselves.
class Parameters {
 public:
  Parameters() = default;
  // `layout` must be frozen. Values and gradients start at 0.
  Parameters(ParameterLayout layout, at::Device device);

  const ParameterLayout& layout() const { return layout_; }
  at::Device device() const { return values_.device(); }
  at::Tensor& values() { return values_; }        // (buffer_size), no autograd
  at::Tensor& gradients() { return gradients_; }  // (buffer_size)
  const at::Tensor& values() const { return values_; }
  const at::Tensor& gradients() const { return gradients_; }

  // A leaf that requires gradients, whose .grad() is a view of gradients(). Fused operations
  // accumulate into it in place; autograd does the same for plain ones, because the gradient is
  // already defined. A member of a stacked block is a plain view of its values, for reading and
  // writing: only the stacked leaf is part of the graph. A constant requires none.
  const at::Tensor& operator[](const std::string& name) const;
  // The leaf over the stacked block that begins with `first_name`: (n * rows, cols) or (n * size).
  // For a name declared alone, the same as operator[].
  const at::Tensor& stacked(const std::string& first_name) const;

  // The values of a leaf in low precision, for matrix products; no leaf of a table of tokens. All
  // are rounded at once when values have changed since they were last asked for. Not
  // differentiable.
  at::Tensor rounded(const at::Tensor& leaf, at::ScalarType type) const;

  // All leaves of the graph, in buffer order: blocks, and tensors that stand alone.
  std::vector<at::Tensor> leaves() const;

  // All that training moves. The tensors themselves.
  std::vector<at::Tensor> state() const { return {values_}; }

  void zero_gradients();
  // Copies of all tensors by name, on the CPU (for checkpoints).
  TensorMap to_tensors() const;

 private:
  struct Rounded;
  void round_values() const;

  ParameterLayout layout_;
  at::Tensor values_, gradients_;
  std::shared_ptr<Rounded> rounded_;
  std::map<std::string, at::Tensor> leaves_;
  std::map<std::string, at::Tensor> stacked_;
};

// Where a parameter finds its value in a checkpoint, and what was left over on both sides.
struct LoadReport {
  std::vector<std::string> missing;  // parameters without a tensor, but extra ones: they keep their
                                     // value
  std::vector<std::string> unexpected;  // tensors that no parameter wants
  std::vector<std::string> notes;       // what else was left out of the checkpoint, a line each
};

// Copies tensors of equal name and shape into the parameters. A shape that differs (both are
// named), a tensor without floats and a value that is not finite are user errors (`where`: the file
// or folder); other floats than float32 are converted. Parameters on the meta device are only
// checked.
LoadReport load_parameters(Parameters& parameters, const TensorMap& tensors,
                           const std::string& where);

}  // namespace kdbench
