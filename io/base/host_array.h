// SPDX-License-Identifier: MIT
// An array that does not change any more. Copies of the object share the values; where ranks of a
// host have read them together (host_ranks.h), these lie in the host's memory once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "io/base/host_memory.h"
#include "io/base/host_ranks.h"

namespace kdbench {

template <typename T>
class HostArray {
 public:
  using value_type = T;
  using const_iterator = const T*;

  HostArray() = default;
  // Takes over values of this rank alone.
  HostArray(std::vector<T> values) {
    const auto kept = std::make_shared<const std::vector<T>>(std::move(values));
    data_ = kept->data();
    size_ = kept->size();
    owner_ = kept;
  }
  // `fill` writes all `size` values, which begin as anything. Local, to be called in what
  // HostRanks::read_once(read) runs. Memory that cannot be had is a machine error.
  static HostArray filled(const HostRanks& host, int64_t size,
                          const std::function<void(T*)>& fill) {
    if (size == 0) return {};
    const int64_t bytes = size * static_cast<int64_t>(sizeof(T));
    const auto memory = std::make_shared<HostMemory>(bytes, host.share());
    fill(static_cast<T*>(memory->data()));
    memory->make_read_only();
    return HostArray(memory);
  }

  const T* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  const T& operator[](size_t index) const { return data_[index]; }
  const T& front() const { return data_[0]; }
  const T& back() const { return data_[size_ - 1]; }
  friend bool operator==(const HostArray& a, const HostArray& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  friend class HostMessage;
  explicit HostArray(std::shared_ptr<HostMemory> memory)
      : memory_(std::move(memory)),
        data_(static_cast<const T*>(std::as_const(*memory_).data())),
        size_(static_cast<size_t>(memory_->bytes()) / sizeof(T)) {}

  std::shared_ptr<HostMemory> memory_;  // one of these
  std::shared_ptr<const void> owner_;
  const T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace kdbench
