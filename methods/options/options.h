// SPDX-License-Identifier: MIT
// Keys of the experiment file, declared once: used for validation, defaults, `kdbench methods` and
// the record of a run. Methods declare their own; [train] and the sizes of models are tables alike.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "io/base/range.h"

namespace kdbench {

// "auto", names and lists of layers are strings or integer lists; paths are strings.
using OptionValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>,
                                 std::vector<std::string>>;

struct OptionSpec {
  std::string name;
  OptionValue fallback;                   // the default; its type is the option's type
  std::string meaning;                    // one sentence, with the unit
  std::string source;                     // where the default comes from (paper, equation, program)
  Range range = {};                       // of numbers, and of the elements of lists
  std::vector<std::string> choices = {};  // of strings, and of the elements of lists; empty: any
  std::vector<std::string> planned = {};  // choices to come: "not available yet"
  bool or_list = false;                   // a string option that also takes a list of integers
  bool or_file = false;  // a string option that takes a file too: an absolute path when it is read
  bool path = false;  // a string option that is a path, absolute when it is read, unless a choice
  // Of an option without a default: what holds when it is not written ("the model's own").
  // `fallback` is then its type only.
  std::string absent = "";
  // What else is wrong with a value of the right type and range, a sentence each.
  std::function<std::vector<std::string>(const OptionValue&)> rule = nullptr;
};

// Of keys that hold a spec each, beside where its value lies.
template <typename Keys>
std::vector<OptionSpec> specs_of(const Keys& keys) {
  std::vector<OptionSpec> specs;
  for (const auto& key : keys) specs.push_back(key.spec);
  return specs;
}

// Values of one method entry, complete (defaults filled in, but options without one) and validated.
class Options {
 public:
  Options() = default;
  explicit Options(std::map<std::string, OptionValue> values) : values_(std::move(values)) {}
  // Throws std::logic_error for a name or type that the method did not declare.
  template <typename T>
  const T& get(const std::string& name) const {
    const auto it = values_.find(name);
    if (it == values_.end() || !std::holds_alternative<T>(it->second)) bad_access(name);
    return std::get<T>(it->second);
  }
  bool has(const std::string& name) const { return values_.contains(name); }
  bool holds_list(const std::string& name) const;
  const std::map<std::string, OptionValue>& values() const { return values_; }

 private:
  [[noreturn]] static void bad_access(const std::string& name);
  std::map<std::string, OptionValue> values_;
};

}  // namespace kdbench
