// SPDX-License-Identifier: MIT
#include "methods/models/parameters.h"

#include <ATen/ATen.h>

#include <stdexcept>
#include <utility>

#include "io/base/error.h"

namespace kdbench {
namespace {

// Blocks begin at multiples of 64 bytes: a cache line, and the widest vector register.
constexpr int64_t kAlignment = 16;

int64_t align(int64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

at::Tensor view_of(const at::Tensor& buffer, int64_t offset, at::IntArrayRef shape) {
  return buffer.narrow(0, offset, c10::multiply_integers(shape)).view(shape);
}

bool is_finite(const at::Tensor& tensor) {
  return tensor.is_meta() || at::isfinite(tensor).all().item<bool>();
}

// A leaf of the graph over the buffers: reads `values`, collects into `gradients`.
at::Tensor make_leaf(const at::Tensor& values, const at::Tensor& gradients, int64_t offset,
                     at::IntArrayRef shape) {
  at::Tensor leaf = view_of(values, offset, shape);
  leaf.set_requires_grad(true);
  leaf.mutable_grad() = view_of(gradients, offset, shape);
  return leaf;
}

}  // namespace

void ParameterLayout::add(std::string name, std::vector<int64_t> shape) {
  add_stacked({std::move(name)}, std::move(shape));
}

void ParameterLayout::add_stacked(const std::vector<std::string>& names,
                                  std::vector<int64_t> shape) {
  if (frozen_) throw std::logic_error("ParameterLayout: declaration after freeze");
  if (names.empty() || shape.empty()) throw std::logic_error("ParameterLayout: nothing to declare");
  Block block;
  for (const auto& name : names) {
    if (!index_.emplace(name, 0).second)
      throw std::logic_error("ParameterLayout: " + name + " declared twice");
    Segment segment;
    segment.name = name;
    segment.shape = shape;
    segment.size = c10::multiply_integers(shape);
    segment.decay = !decays_ || decays_(name);
    segment.stack = names.front();
    block.segments.push_back(std::move(segment));
  }
  declared_.push_back(std::move(block));
}

void ParameterLayout::add_token_table(std::string name, std::vector<int64_t> shape) {
  add(std::move(name), std::move(shape));
  declared_.back().segments.front().token_table = true;
}

void ParameterLayout::add_extra(const ExtraParameter& extra) {
  add(extra.name, extra.shape);
  Segment& segment = declared_.back().segments.front();
  segment.extra = true;
  segment.deviation = extra.deviation;
}

void ParameterLayout::add_constant(std::string name, std::vector<int64_t> shape) {
  if (frozen_ || !index_.emplace(name, 0).second)
    throw std::logic_error("ParameterLayout: " + name + " declared twice, or after freeze");
  Segment constant;
  constant.name = constant.stack = std::move(name);
  constant.size = c10::multiply_integers(shape);
  constant.shape = std::move(shape);
  constant.decay = false;
  constants_.push_back(std::move(constant));
}

void ParameterLayout::freeze() {
  if (frozen_) throw std::logic_error("ParameterLayout: frozen twice");
  for (auto block = declared_.rbegin(); block != declared_.rend(); ++block) {
    buffer_size_ = align(buffer_size_);
    for (auto& segment : block->segments) {
      segment.offset = buffer_size_;
      buffer_size_ += segment.size;
      index_[segment.name] = segments_.size();
      segments_.push_back(std::move(segment));
    }
  }
  buffer_size_ = align(buffer_size_);
  declared_.clear();
  frozen_ = true;
}

const Segment* ParameterLayout::find(const std::string& name) const {
  const auto it = index_.find(name);
  if (!frozen_ || it == index_.end()) return nullptr;
  for (const auto& constant : constants_) {
    if (constant.name == name) return &constant;
  }
  return &segments_[it->second];
}

const Segment& ParameterLayout::segment(const std::string& name) const {
  const Segment* found = find(name);
  if (!found) throw std::logic_error("ParameterLayout: no parameter " + name);
  return *found;
}

std::vector<Segment> ParameterLayout::tensors() const {
  std::vector<Segment> all = segments_;
  all.insert(all.end(), constants_.begin(), constants_.end());
  return all;
}

int64_t ParameterLayout::parameter_count() const {
  int64_t count = constant_count();
  for (const auto& segment : segments_) count += segment.size;
  return count;
}

int64_t ParameterLayout::constant_count() const {
  int64_t count = 0;
  for (const auto& constant : constants_) count += constant.size;
  return count;
}

// The whole buffer in low precision as of one version of the values; tables of tokens are left out.
struct Parameters::Rounded {
  at::Tensor values;
  uint32_t version = 0;
};

Parameters::Parameters(ParameterLayout layout, at::Device device)
    : layout_(std::move(layout)), rounded_(std::make_shared<Rounded>()) {
  if (!layout_.frozen()) throw std::logic_error("Parameters: layout is not frozen");
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  values_ = at::zeros({layout_.buffer_size()}, options);
  gradients_ = at::zeros({layout_.buffer_size()}, options);
  for (const auto& constant : layout_.constants())
    leaves_[constant.name] = at::zeros(constant.shape, options);
  const auto& segments = layout_.segments();
  for (size_t begin = 0, end = 0; begin < segments.size(); begin = end) {
    const Segment& first = segments[begin];
    while (end < segments.size() && segments[end].stack == first.stack) ++end;
    std::vector<int64_t> shape = first.shape;
    shape[0] *= static_cast<int64_t>(end - begin);
    const at::Tensor leaf = make_leaf(values_, gradients_, first.offset, shape);
    stacked_[first.name] = leaf;
    for (size_t i = begin; i < end; ++i) {
      const Segment& member = segments[i];
      leaves_[member.name] =
          end - begin == 1 ? leaf : view_of(values_, member.offset, member.shape);
    }
  }
}

const at::Tensor& Parameters::operator[](const std::string& name) const {
  const auto it = leaves_.find(name);
  if (it == leaves_.end()) throw std::logic_error("Parameters: no parameter " + name);
  return it->second;
}

const at::Tensor& Parameters::stacked(const std::string& first_name) const {
  const auto it = stacked_.find(first_name);
  if (it == stacked_.end())
    throw std::logic_error("Parameters: no block begins with " + first_name);
  return it->second;
}

at::Tensor Parameters::rounded(const at::Tensor& leaf, at::ScalarType type) const {
  const at::NoGradGuard no_gradients;
  at::Tensor& values = rounded_->values;
  const bool other = !values.defined() || values.scalar_type() != type;
  if (other) values = at::empty_like(values_, values_.options().dtype(type));
  if (other || rounded_->version != values_._version()) {
    round_values();
    rounded_->version = values_._version();
  }
  return view_of(values, leaf.storage_offset(), leaf.sizes());
}

void Parameters::round_values() const {
  int64_t begin = 0;
  const auto round_until = [&](int64_t end) {
    rounded_->values.narrow(0, begin, end - begin).copy_(values_.narrow(0, begin, end - begin));
  };
  for (const auto& segment : layout_.segments()) {
    if (!segment.token_table) continue;
    round_until(segment.offset);
    begin = segment.offset + segment.size;
  }
  round_until(layout_.buffer_size());
}

std::vector<at::Tensor> Parameters::leaves() const {
  std::vector<at::Tensor> leaves;
  for (const auto& segment : layout_.segments()) {
    if (segment.name == segment.stack) leaves.push_back(stacked_.at(segment.name));
  }
  return leaves;
}

void Parameters::zero_gradients() { gradients_.zero_(); }

TensorMap Parameters::to_tensors() const {
  TensorMap tensors;
  for (const auto& segment : layout_.tensors()) {
    tensors[segment.name] = leaves_.at(segment.name).detach().to(at::kCPU, at::kFloat, false, true);
  }
  return tensors;
}

LoadReport load_parameters(Parameters& parameters, const TensorMap& tensors,
                           const std::string& where) {
  LoadReport report;
  Problems problems;
  const ParameterLayout& layout = parameters.layout();
  for (const auto& segment : layout.tensors()) {
    const auto it = tensors.find(segment.name);
    if (it == tensors.end()) {
      if (!segment.extra) report.missing.push_back(segment.name);
    } else if (it->second.sizes() != at::IntArrayRef(segment.shape)) {
      problems.add(where, "tensor " + segment.name + " has shape " +
                              shape_text(it->second.sizes()) + ", the model expects " +
                              shape_text(segment.shape));
    } else if (!it->second.is_floating_point()) {
      problems.add(where, "tensor " + segment.name + " holds " +
                              c10::toString(it->second.scalar_type()) + ", not floats");
    } else if (!is_finite(it->second)) {
      problems.add(where, "tensor " + segment.name + " holds NaN or infinity",
                   "the file is damaged, or its training diverged");
    }
  }
  problems.throw_if_any(where);
  const at::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : tensors) {
    if (layout.contains(name)) {
      parameters[name].copy_(tensor.detach());
    } else {
      report.unexpected.push_back(name);
    }
  }
  return report;
}

}  // namespace kdbench
