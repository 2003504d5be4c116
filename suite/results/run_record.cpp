// SPDX-License-Identifier: MIT
#include "suite/results/run_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <stdexcept>

#include "io/base/error.h"
#include "io/base/file_list.h"
#include "io/base/partial_file.h"
#include "io/base/text.h"
#include "reports/run_files.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// NaN and infinities become null, other numbers round-trip.
std::string line_of(const nlohmann::json& json, int indent = -1) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

fs::path with_partial(const fs::path& folder) {
  fs::path partial = folder;
  partial += ".partial";
  return partial;
}

std::string prediction_table(const Task& task, const Predictions& predictions,
                             const std::vector<std::string>& labels) {
  std::string text = "index\tprediction\n";
  const auto classes = task.regression() ? std::vector<int64_t>{} : predictions.argmax();
  for (int64_t row = 0; row < predictions.rows(); ++row) {
    const auto i = static_cast<size_t>(row);
    text += fmt::format("{}\t", predictions.row_ids[i]);
    text += task.regression() ? fmt::format("{:.9g}", predictions.logits[i])
                              : labels.at(static_cast<size_t>(classes[i]));
    text += "\n";
  }
  return text;
}

std::string logit_table(const Predictions& predictions) {
  std::string text = "index";
  for (int64_t c = 0; c < predictions.classes; ++c) text += fmt::format("\tlogit{}", c);
  text += "\n";
  size_t next = 0;
  for (const int64_t id : predictions.row_ids) {
    text += std::to_string(id);
    for (int64_t c = 0; c < predictions.classes; ++c) {
      text += fmt::format("\t{:.9g}", predictions.logits[next++]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace

// events.jsonl, open while the run is under way.
struct RunRecord::Events {
  explicit Events(fs::path file) : path(std::move(file)), stream(std::fopen(path.c_str(), "wb")) {
    if (!stream) throw_machine_error(path.string(), std::strerror(errno));
  }
  ~Events() { std::fclose(stream); }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  void write(const std::string& line) {
    if (std::fwrite(line.data(), 1, line.size(), stream) != line.size() || std::fflush(stream)) {
      throw_machine_error(path.string(), std::strerror(errno));
    }
  }
  void flush_to_disk() {
    if (::fsync(::fileno(stream))) throw_machine_error(path.string(), std::strerror(errno));
  }

  fs::path path;
  std::FILE* stream;
};

void write_run_json(const fs::path& folder, nlohmann::json record) {
  record = nlohmann::json::parse(line_of(record));  // as it will be read
  record["record_sha256"] = record_sha256(record);
  write_file(folder / kRunJson, line_of(record, 2));
}

RunRecord::RunRecord(fs::path folder, bool active)
    : final_(std::move(folder)), partial_(with_partial(final_)), active_(active) {
  json_ = nlohmann::json::object();
  if (!active_) return;
  if (fs::exists(final_)) {
    throw_user_error(final_.string(), "this run is already there", "results are never overwritten");
  }
  std::error_code failed;
  fs::remove_all(partial_, failed);
  if (!failed) fs::create_directories(partial_, failed);
  if (failed) throw_machine_error(partial_.string(), failed.message());
  events_ = std::make_unique<Events>(partial_ / "events.jsonl");
}

RunRecord::~RunRecord() = default;

void RunRecord::event(const nlohmann::json& line) {
  if (events_) events_->write(line_of(line));
}

void RunRecord::go_on(const std::string& events) {
  if (events_) events_->write(events);
}

std::string RunRecord::events() const {
  return events_ ? read_text_file(events_->path) : std::string();
}

void RunRecord::predictions(const Task& task, const std::string& split,
                            const Predictions& predictions,
                            const std::vector<std::string>& label_order) {
  if (!active_) return;
  if (!task.regression() && static_cast<int64_t>(label_order.size()) != predictions.classes) {
    throw std::logic_error("predictions of " + task.name + ": labels and logits differ in number");
  }
  const fs::path folder = partial_ / "predictions";
  make_subfolder(folder);
  const std::string stem = task.name + "-" + split;
  write_file(folder / (stem + ".tsv"), prediction_table(task, predictions, label_order));
  write_file(folder / (stem + "-logits.tsv"), logit_table(predictions));
}

void RunRecord::write_json(const std::string& status, const std::string& reason) {
  json_["status"] = status;
  json_["reason"] = reason;
  write_run_json(partial_, json_);
}

void RunRecord::begin() {
  if (active_) write_json("running", "");
}

void RunRecord::stop(const std::string& reason) {
  if (active_) write_json("stopped", reason);
}

void RunRecord::finish(const std::string& status, const std::string& reason) {
  if (!active_ || finished_) return;
  events_->flush_to_disk();
  events_.reset();
  json_["files"] = list_files(partial_, kRunJson);
  write_json(status, reason);
  flush_folder(partial_);
  std::error_code failed;
  fs::rename(partial_, final_, failed);
  if (failed) throw_machine_error(final_.string(), failed.message());
  flush_folder(final_.parent_path());
  finished_ = true;
}

std::string utc_now() { return utc_time(std::time(nullptr)); }

std::string utc_time(std::time_t time) {
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::filesystem::path free_run_folder(const std::filesystem::path& first, bool* done,
                                      nlohmann::json* last) {
  std::filesystem::path folder = first;
  for (int attempt = 2; std::filesystem::exists(folder); ++attempt) {
    const nlohmann::json json = read_run_json(folder);
    *done = json.value("status", "") == "done";
    if (last) *last = json;
    if (*done) return folder;
    folder = first.string() + "-" + std::to_string(attempt);
  }
  return folder;
}

}  // namespace kdbench
