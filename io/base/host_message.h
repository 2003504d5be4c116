// SPDX-License-Identifier: MIT
// How a value gets from the rank of a host that has read it to the others: a function
// `travel(HostMessage&, Value&)` names its parts, each once and in one order for both sides. Text
// and numbers are copied, arrays are mapped.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "io/base/host_array.h"

namespace kdbench {

class HostMessage {
 public:
  HostMessage() = default;                           // of the rank that sends
  explicit HostMessage(const std::string& message);  // of one that receives

  bool sends() const { return sends_; }

  // Strings, numbers, and vectors of them.
  template <typename T>
  void operator()(T& value) {
    if (sends_) {
      parts_.push_back(value);
    } else {
      value = parts_.at(next_++).get<T>();
    }
  }
  template <typename T>
  void operator()(HostArray<T>& array) {
    std::shared_ptr<HostMemory> memory = array.memory_;
    if (sends_ && !memory && !array.empty()) refuse_private();
    map(memory);
    if (!sends_) array = memory ? HostArray<T>(std::move(memory)) : HostArray<T>();
  }

  // One value after another, each by travel(message, value).
  template <typename T, typename Travel>
  void each(std::vector<T>& values, const Travel& travel) {
    size_t count = values.size();
    (*this)(count);
    values.resize(count);
    for (auto& value : values) travel(*this, value);
  }

  // Of the sender, once it has named all parts.
  std::string text() const;
  // Of the sender, when all others have mapped its arrays.
  void stop_sharing();

 private:
  [[noreturn]] static void refuse_private();
  void map(std::shared_ptr<HostMemory>& memory);

  bool sends_ = true;
  nlohmann::json parts_ = nlohmann::json::array();
  size_t next_ = 0;
  std::vector<std::shared_ptr<HostMemory>> sent_;
};

}  // namespace kdbench
