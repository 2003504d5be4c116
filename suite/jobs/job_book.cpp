// SPDX-License-Identifier: MIT
#include "suite/jobs/job_book.h"

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

using nlohmann::json;

constexpr int kBookVersion = 1;

SubmittedArray read_array(const json& entry) {
  SubmittedArray array{entry.at("id"), entry.at("name"), {}};
  for (const auto& [number, unit] : entry.at("units").items())
    array.units[std::stoul(number)] = unit.get<std::string>();
  return array;
}

json array_json(const SubmittedArray& array) {
  json units = json::object();
  for (const auto& [number, unit] : array.units) units[std::to_string(number)] = unit;
  return {{"id", array.id}, {"name", array.name}, {"units", units}};
}

}  // namespace

JobBook::JobBook(const std::filesystem::path& folder, json what)
    : file_(folder / "jobs.json"), what_(std::move(what)) {
  if (!is_file(file_)) return;
  const std::string hint = "choose another --jobs, or delete it if none of its jobs is queued";
  try {
    const json book = json::parse(read_text_file(file_));
    if (book.at("of") != what_) {
      throw_user_error(
          file_.string(),
          "is of another experiment, --out or --set: " + utf8_text(book.at("of").dump()), hint);
    }
    for (const auto& entry : book.at("arrays")) arrays_.push_back(read_array(entry));
  } catch (const json::exception&) {
    throw_user_error(file_.string(), "is damaged", hint);
  }
}

std::vector<std::string> JobBook::ids() const {
  std::vector<std::string> ids;
  for (const auto& array : arrays_) ids.push_back(array.id);
  return ids;
}

std::string JobBook::task_of(const std::string& name, const std::string& unit) const {
  std::string found;
  for (const auto& array : arrays_) {
    if (array.name != name) continue;
    for (const auto& [number, own] : array.units) {
      if (own == unit) found = array.task(number);
    }
  }
  return found;
}

void JobBook::add(SubmittedArray array) {
  arrays_.push_back(std::move(array));
  json list = json::array();
  for (const auto& entry : arrays_) list.push_back(array_json(entry));
  const std::string text =
      json{{"schema_version", kBookVersion}, {"of", what_}, {"arrays", list}}.dump(2) + "\n";
  write_file(file_, text);
}

}  // namespace kdbench
