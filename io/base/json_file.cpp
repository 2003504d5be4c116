// SPDX-License-Identifier: MIT
#include "io/base/json_file.h"

#include "io/base/error.h"
#include "io/base/foreign_error.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 100;

}  // namespace

json read_json_object(const std::filesystem::path& path) {
  const std::string text = read_text_file(path);
  if (text.empty()) throw_user_error(path.string(), "is empty", "a download that broke off?");
  return json_object_of(text, path.string());
}

json json_object_of(const std::string& text, const std::string& where) {
  const auto check_depth = [&](int depth, json::parse_event_t, json&) {
    if (depth > kMaxDepth) throw_user_error(where, "is nested too deeply");
    return true;
  };
  try {
    json value = json::parse(text, check_depth);
    if (value.is_object()) return value;
  } catch (const json::exception& error) {
    throw_user_error(where, "is no JSON: " + json_problem(error));
  }
  throw_user_error(where, "is no JSON object");
}

}  // namespace kdbench
