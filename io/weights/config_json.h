// SPDX-License-Identifier: MIT
// The keys of a model's config.json, as Hugging Face writes it, read with their ranges. Which keys
// a kind of model has is not known here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "io/base/error.h"
#include "io/weights/model_limits.h"

namespace kdbench {

// Takes keys, collecting what is wrong with them as "<file>:<key>: ...". Absent and null are the
// same, and leave a value as it is.
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
  // One of `known`, which must be there; "" with a problem when it is another.
  std::string model_type(const std::vector<std::string>& known);
  // id2label in order; empty when absent or when the names are only LABEL_0, LABEL_1, ...
  std::vector<std::string> labels();

  void problem(const std::string& key, const std::string& what, const std::string& hint = "");

 private:
  // A null value when the key is absent.
  nlohmann::json find(const std::string& key) const;

  std::string path_;
  nlohmann::json json_;
  Problems& problems_;
};

// id2label and label2id of a config.json. Without names one output is meant: a score.
void write_labels(const std::vector<std::string>& labels, nlohmann::json& config);

}  // namespace kdbench
