// SPDX-License-Identifier: MIT
// A method's own keys in the experiment file: declared once, used for validation, defaults,
// `kdbench methods` and the record of a run.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace kdbench {

// "auto", names and lists of layers are strings or integer lists.
using OptionValue = std::variant<bool, int64_t, double, std::string, std::vector<int64_t>>;

struct OptionSpec {
  std::string name;
  OptionValue fallback;  // the default; its type is the option's type
  std::string meaning;   // one sentence, with the unit
  std::string source;    // where the default comes from (paper, equation, program)
  double minimum = -std::numeric_limits<double>::infinity();  // of numbers, inclusive
  double maximum = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};  // of strings; empty: any
  bool or_list = false;                   // a string option that also takes a list of integers
  bool or_file = false;  // a string option that takes a file too: an absolute path when it is read
};

// Values of one method entry, complete (defaults filled in) and validated.
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
  bool holds_list(const std::string& name) const;
  const std::map<std::string, OptionValue>& values() const { return values_; }

 private:
  [[noreturn]] static void bad_access(const std::string& name);
  std::map<std::string, OptionValue> values_;
};

// "number", "integer", "true or false", "text", "list of integers".
std::string type_name(const OptionValue& value);

}  // namespace kdbench
