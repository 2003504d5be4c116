// SPDX-License-Identifier: MIT
// The keys of a model's config.json, as Hugging Face writes it, read with their ranges. Which keys
// a kind of model has is not known here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/base/error.h"
#include "io/weights/model_limits.h"

namespace kdbench {

// Takes keys, collecting what is wrong with them as "<file>:<key>: ...". Absent and null are the
// same, and leave a value as it is. Which keys were asked for is remembered.
class ConfigJson {
 public:
  // Throws a user error when the file holds no JSON object.
  ConfigJson(const std::filesystem::path& path, Problems& problems);

  // A size of 1 or more, which must be there when it is `required`.
  void size(const std::string& key, int64_t& value, bool required, int64_t most = kLargestSize);
  void number(const std::string& key, int64_t& value, std::pair<int64_t, int64_t> range,
              bool required);
  // In [low, high).
  void real(const std::string& key, double& value, double low, double high);
  // A word of which only one value is supported.
  void only(const std::string& key, const std::string& supported);
  // A word of several that are supported.
  void choice(const std::string& key, std::string& value, const std::vector<std::string>& known);
  void flag(const std::string& key, bool& value);
  // Lists of sizes, and of true and false.
  void numbers(const std::string& key, std::vector<int64_t>& values);
  void flags(const std::string& key, std::vector<bool>& values);
  // A key that decides nothing here: it counts as known.
  void ask(const std::string& key) { asked_.insert(key); }
  // model_type, or architecture where that is absent: one of `known`, and one of the two must be
  // there; "" with a problem when it is another.
  std::string model_type(const std::vector<std::string>& known);
  // A key that makes another network: anything but absent, false, 0 or empty is a problem.
  void never(const std::string& key, const std::string& reason);
  // "" when absent.
  std::string text(const std::string& key);
  // The names in order, of id2label, else of label2id; the two must agree. Whole numbers count as
  // their digits. Empty when both are absent or say only LABEL_0, LABEL_1, ...
  std::vector<std::string> labels();
  // The keys that nobody has asked for, but those that say nothing about a network.
  std::vector<std::string> unused() const;

  void problem(const std::string& key, const std::string& what, const std::string& hint = "");

 private:
  // A null value when the key is absent.
  nlohmann::json find(const std::string& key);
  std::vector<std::string> id2label();
  std::vector<std::string> label2id();

  std::set<std::string> asked_;
  std::string path_;
  nlohmann::json json_;
  Problems& problems_;
};

// id2label and label2id of a config.json. Without names one output is meant: a score.
void write_labels(const std::vector<std::string>& labels, nlohmann::json& config);

}  // namespace kdbench
