// SPDX-License-Identifier: MIT
#include "reports/run_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace kdbench {

using nlohmann::json;

namespace {

// The value at a path, or null.
const json& value_at(const json& run, std::string_view path) {
  static const json nothing;
  const json* value = &run;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (!value->is_object()) return nothing;
    const auto member = value->find(path.substr(begin, end - begin));
    if (member == value->end()) return nothing;
    value = &*member;
    begin = end + 1;
  }
  return *value;
}

}  // namespace

std::string text_of(const json& run, const std::string& key) {
  const json& value = value_at(run, key);
  return value.is_string() ? value.get<std::string>() : "";
}

std::map<std::string, std::string> texts_at(const json& run, const std::string& path) {
  std::map<std::string, std::string> texts;
  const json& value = value_at(run, path);
  if (!value.is_object()) return texts;
  for (const auto& [key, text] : value.items()) {
    if (text.is_string()) texts[key] = text.get<std::string>();
  }
  return texts;
}

std::optional<double> number_at(const json& run, const std::string& path) {
  const json& value = value_at(run, path);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::optional<int64_t> seed_of(const json& run) {
  const json& value = value_at(run, "seed");
  return value.is_number_integer() ? std::optional(value.get<int64_t>()) : std::nullopt;
}

std::string data_difference(const json& a, const json& b) {
  const json& own = value_at(a, "data");
  const json& other = value_at(b, "data");
  for (const char* key : {"max_seq_length", "train_limit"}) {
    const json &mine = value_at(own, key), &theirs = value_at(other, key);
    if (mine.is_null() || theirs.is_null() || mine == theirs) continue;
    return fmt::format("{} ({}, {})", key, mine.dump(), theirs.dump());
  }
  const json& splits = value_at(own, "splits");
  if (!splits.is_object()) return "";
  for (const auto& [name, split] : splits.items()) {
    const json& theirs = value_at(other, "splits/" + name + "/source_sha256");
    if (!theirs.is_null() && theirs != value_at(split, "source_sha256"))
      return "the rows of " + name;
  }
  return "";
}

std::optional<bool> flag_at(const json& run, const std::string& path) {
  const json& value = value_at(run, path);
  return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

std::string shown_task(const json& run) {
  const bool synthetic = flag_at(run, "data/synthetic").value_or(false);
  return text_of(run, "task") + (synthetic ? " (synthetic)" : "");
}

Column experiment_column(const std::vector<json>& runs) {
  const bool several = std::any_of(runs.begin(), runs.end(), [&](const json& run) {
    return text_of(run, "experiment") != text_of(runs.front(), "experiment");
  });
  return {"experiment", "experiment", {}, several ? Show::kAlways : Show::kData};
}

bool is_done(const json& run) { return text_of(run, "status") == "done"; }

bool is_teacher(const json& run) { return text_of(run, "role") == "teacher"; }
bool is_language_model(const json& run) { return text_of(run, "role") == "language-model"; }

bool is_assistant(const json& run) { return text_of(run, "role") == "assistant"; }
bool is_prediction(const json& run) { return text_of(run, "role") == "predict"; }

namespace {

std::string kept_checkpoint(const json& run) {
  const std::string kept = text_of(run, "checkpoint");
  return kept.empty() ? "last" : kept;
}

}  // namespace

std::map<std::string, double> metrics_of(const json& run, const std::string& checkpoint) {
  std::map<std::string, double> values;
  const json& splits =
      value_at(run, "metrics/" + (checkpoint.empty() ? kept_checkpoint(run) : checkpoint));
  if (!splits.is_object()) return values;
  bool first = true;
  for (const auto& [split, metrics] : splits.items()) {
    for (const auto& [name, value] : metrics.items()) {
      if (value.is_number()) values[first ? name : name + " " + split] = value.get<double>();
    }
    first = false;
  }
  return values;
}

namespace {

const json& hosts_of(const json& run) {
  static const json none = json::array();
  const json& hosts = value_at(run, "system/hosts");
  return hosts.is_array() ? hosts : none;
}

}  // namespace

std::optional<double> cpus_of_others(const json& run) {
  std::optional<double> most;
  for (const auto& host : hosts_of(run)) {
    const auto others = number_at(host, "cpus_of_others");
    if (others && others > most) most = others;
  }
  return most;
}

bool shared_its_cpus(const json& run) {
  const json& hosts = hosts_of(run);
  return std::any_of(hosts.begin(), hosts.end(),
                     [](const json& host) { return flag_at(host, "cpus_shared").value_or(false); });
}

std::string machine_of(const json& run) {
  std::string text;
  for (const auto& host : hosts_of(run)) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", text_of(host, "name"),
                        text_of(host, "cpu"));
  }
  const auto ranks = number_at(run, "system/ranks"),
             threads = number_at(run, "system/threads_per_rank");
  if (!ranks || !threads) return text;
  return fmt::format("{}{}{:.0f} rank{} x {:.0f} thread{}", text, text.empty() ? "" : ", ", *ranks,
                     *ranks == 1 ? "" : "s", *threads, *threads == 1 ? "" : "s");
}

void Rate::add(const json& run, const std::string& rate, const std::string& seconds) {
  const double speed = number_at(run, rate).value_or(0.0);
  const double took = number_at(run, seconds).value_or(0.0);
  if (speed <= 0.0 || took <= 0.0) return;
  amount_ += speed * took;
  seconds_ += took;
}

std::optional<double> Rate::per_second() const {
  return seconds_ > 0.0 ? std::optional(amount_ / seconds_) : std::nullopt;
}

}  // namespace kdbench
