// SPDX-License-Identifier: MIT
#include "reports/origin.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/run_fields.h"

namespace kdbench {
namespace {

using nlohmann::json;

constexpr size_t kHashDigits = 16;

// Distinct values of one kind in order of first appearance.
class Values {
 public:
  explicit Values(std::string what) : what_(std::move(what)) {}

  void add(const std::string& value) {
    if (value.empty()) return;
    const auto [place, first] = places_.try_emplace(value, counts_.size());
    if (first) counts_.emplace_back(value, 0);
    ++counts_[place->second].second;
  }

  void append_to(Table& table) const {
    for (const auto& [value, runs] : counts_) {
      table.rows.push_back({what_, value, static_cast<double>(runs)});
    }
  }

 private:
  std::string what_;
  std::vector<std::pair<std::string, int>> counts_;
  std::map<std::string, size_t> places_;  // in counts_
};

void append(Table& table, const std::vector<json>& runs, const std::string& what,
            std::string (*value)(const json&)) {
  Values values(what);
  for (const auto& run : runs) values.add(value(run));
  values.append_to(table);
}

// `value` behind its name, or nothing.
std::string named(const std::string& name, const std::string& value) {
  return value.empty() ? "" : name + " " + value;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

std::string command(const json& run) {
  const std::string text = text_of(run, "command");
  return text.empty() ? "" : "`" + text + "`";
}

std::string commit(const json& run) {
  const std::string hash = text_of(run, "git/commit");
  return hash.empty() || flag_at(run, "git/clean").value_or(false) ? hash : hash + ", with changes";
}

std::string build(const json& run) {
  return joined({named("kdbench", text_of(run, "build/version")), text_of(run, "build/compiler"),
                 text_of(run, "build/build_type"), text_of(run, "build/flags"),
                 named("LibTorch", text_of(run, "build/libtorch")), text_of(run, "build/mpi"),
                 named("NCCL", text_of(run, "build/nccl")),
                 named("HDF5", text_of(run, "build/hdf5"))});
}

std::string slurm(const json& run) {
  return joined({named("job", text_of(run, "slurm/job_id")),
                 named("partition", text_of(run, "slurm/partition")),
                 named("nodes", text_of(run, "slurm/node_list"))});
}

// One value a split: "SST-2 dev: 872 rows, sha256 0123456789abcdef".
void append_data(Table& table, const std::vector<json>& runs) {
  Values values("data");
  for (const auto& run : runs) {
    const json data = run.value("data", json::object());
    const json splits = data.is_object() ? data.value("splits", json::object()) : json::object();
    for (const auto& [name, split] : splits.items()) {
      values.add(fmt::format("{} {}: {:.0f} rows, sha256 {}", shown_task(run), name,
                             number_at(split, "rows").value_or(0),
                             text_of(split, "source_sha256").substr(0, kHashDigits)));
    }
  }
  values.append_to(table);
}

std::string tokenizer(const json& run) {
  const auto longest = number_at(run, "data/max_seq_length");
  return joined(
      {named("sha256", text_of(run, "data/tokenizer_sha256").substr(0, kHashDigits)),
       longest ? fmt::format("{} at most {:.0f} tokens", shown_task(run), *longest) : ""});
}

std::string teacher(const json& run) {
  const std::string hash = text_of(run, "teacher/checkpoint").substr(0, kHashDigits);
  return hash.empty() ? "" : fmt::format("{}: checkpoint sha256 {}", shown_task(run), hash);
}

void append_dates(Table& table, const std::vector<json>& runs) {
  std::vector<std::string> starts, ends;
  for (const auto& run : runs) {
    starts.push_back(text_of(run, "started"));
    ends.push_back(text_of(run, "ended"));
  }
  std::erase(starts, "");
  std::erase(ends, "");
  if (starts.empty() || ends.empty()) return;
  table.rows.push_back(
      {"dates (UTC)", *std::ranges::min_element(starts) + " to " + *std::ranges::max_element(ends),
       static_cast<double>(runs.size())});
}

}  // namespace

Table origin_table(const std::vector<json>& runs) {
  Table table;
  table.header = {"what", "value", "runs"};
  append(table, runs, "command", command);
  append(table, runs, "commit", commit);
  append(table, runs, "build", build);
  append(table, runs, "machine", machine_of);
  append(table, runs, "Slurm", slurm);
  append_dates(table, runs);
  append_data(table, runs);
  append(table, runs, "tokenizer", tokenizer);
  append(table, runs, "teacher of", teacher);
  append(table, runs, "settings",
         [](const json& run) { return named("sha256", text_of(run, "config_hash")); });
  return table;
}

}  // namespace kdbench
