// SPDX-License-Identifier: MIT
#include "suite/results/inspection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/base/error.h"
#include "io/base/file_list.h"
#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/stand_in.h"
#include "io/hdf5/hdf5.h"
#include "io/stores/feature_store.h"
#include "io/stores/teacher_store.h"
#include "io/weights/safetensors.h"
#include "reports/run_fields.h"
#include "reports/run_files.h"
#include "reports/table.h"
#include "suite/config/experiment.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStageJson = "stage.json";

nlohmann::json rows_json(const Table& table) { return write_json(table).at("rows"); }

Contents inspect_features(const fs::path& path) {
  const FeatureStore store = read_feature_store(path);
  Table table;
  table.header = {"split",   "rows",   "tokens",
                  "longest", "labels", {"source sha256", "source_sha256"}};
  for (const auto& [name, split] : store.splits) {
    int64_t longest = 0;
    for (size_t row = 1; row < split->offsets.size(); ++row) {
      longest = std::max(longest, split->offsets[row] - split->offsets[row - 1]);
    }
    table.rows.push_back({name, integer_cell(split->rows()),
                          integer_cell(static_cast<int64_t>(split->tokens.size())),
                          integer_cell(longest), split->labels.empty() ? "no" : "yes",
                          split->source_sha256.substr(0, 16)});
  }
  const std::string text =
      fmt::format(
          "feature store, format version {}\ntask {}  max_seq_length {}  train_limit {}  "
          "tokenizer sha256 {}\n",
          kFeatureStoreVersion, store.info.task, store.info.max_seq_length, store.info.train_limit,
          store.info.tokenizer_sha256.substr(0, 16)) +
      write_console(table) + "all checksums are right\n";
  return {text,
          {{"kind", "feature store"},
           {"format_version", kFeatureStoreVersion},
           {"task", store.info.task},
           {"max_seq_length", store.info.max_seq_length},
           {"train_limit", store.info.train_limit},
           {"tokenizer_sha256", store.info.tokenizer_sha256},
           {"splits", rows_json(table)}}};
}

std::string layers_text(const std::vector<int64_t>& layers) {
  return layers.empty() ? "-" : fmt::format("{}", fmt::join(layers, ","));
}

Contents inspect_teacher(const fs::path& path) {
  const TeacherStore store = read_teacher_store(path);
  Table table;
  table.header = {"split",
                  "rows",
                  "classes",
                  {"[CLS] layers", "cls_layers"},
                  "hidden",
                  "pooled",
                  "tokens",
                  {"hidden layers", "hidden_layers"},
                  {"source sha256", "source_sha256"}};
  for (const auto& [name, split] : store.splits) {
    if (split->hidden) split->hidden->verify(0, 1);
    table.rows.push_back(
        {name, integer_cell(split->rows()), integer_cell(split->classes),
         layers_text(split->cls_layers), integer_cell(split->hidden_size),
         split->pooled.empty() ? "no" : "yes",
         split->hidden ? integer_cell(split->hidden->tokens()) : Cell("-"),
         layers_text(split->hidden ? split->hidden->layers() : std::vector<int64_t>{}),
         split->source_sha256.substr(0, 16)});
  }
  const std::string text =
      fmt::format(
          "teacher store, format version {}\ntask {}  checkpoint sha256 {}  store_dtype {}  "
          "max_seq_length {}  tokenizer sha256 {}\n",
          kTeacherStoreVersion, store.info.task, store.info.checkpoint_sha256.substr(0, 16),
          store.info.store_dtype, store.info.max_seq_length,
          store.info.tokenizer_sha256.substr(0, 16)) +
      write_console(table) + "all checksums are right\n";
  return {text,
          {{"kind", "teacher store"},
           {"format_version", kTeacherStoreVersion},
           {"task", store.info.task},
           {"checkpoint_sha256", store.info.checkpoint_sha256},
           {"store_dtype", store.info.store_dtype},
           {"max_seq_length", store.info.max_seq_length},
           {"tokenizer_sha256", store.info.tokenizer_sha256},
           {"splits", rows_json(table)}}};
}

Contents inspect_store(const fs::path& path) {
  const std::string format = hdf5::File::open_read(path).root().text("format");
  return format.find("teacher") == std::string::npos ? inspect_features(path)
                                                     : inspect_teacher(path);
}

Contents inspect_tensors(const fs::path& path) {
  Table table;
  table.header = {"tensor", "type", "shape"};
  int64_t elements = 0, infinite = 0;
  for (const auto& [name, tensor] : read_safetensors(path)) {
    table.rows.push_back({name, c10::toString(tensor.scalar_type()),
                          fmt::format("({})", fmt::join(tensor.sizes(), ", "))});
    elements += tensor.numel();
    if (tensor.is_floating_point()) {
      infinite += tensor.numel() - at::isfinite(tensor).sum().item<int64_t>();
    }
  }
  return {write_console(table) + fmt::format("{} tensors, {} elements, {} not finite\n",
                                             table.rows.size(), elements, infinite),
          {{"kind", "tensors"},
           {"tensors", rows_json(table)},
           {"elements", elements},
           {"not_finite", infinite}}};
}

// Lines of a text file; of a JSON-lines file each must be an object.
int64_t count_lines(const fs::path& file, bool json) {
  std::ifstream stream(file);
  int64_t lines = 0;
  for (std::string line; std::getline(stream, line);) {
    ++lines;
    if (!json || nlohmann::json::accept(line)) continue;
    throw_user_error(fmt::format("{}:{}", file.string(), lines), "is no JSON");
  }
  return lines;
}

// Throws a user error when one of the files that `record` lists is damaged.
std::string files_text(const fs::path& folder, const nlohmann::json& record) {
  if (!record.contains("files")) return "made before files were listed: not checked\n";
  check_files(folder, record.at("files"));
  return fmt::format("all {} files are what was written\n", record.at("files").size());
}

Contents inspect_run(const fs::path& folder) {
  const auto run = read_runs({folder}).front();
  nlohmann::json lines = nlohmann::json::object();
  std::string text = fmt::format("run {}\nstatus {}  {}\n", run.value("run_id", "?"),
                                 run.value("status", "?"), run.value("reason", ""));
  text += fmt::format("experiment {}  task {}  label {}  seed {}\n", run.value("experiment", "?"),
                      run.value("task", "?"), run.value("label", "?"), run.value("seed", 0));
  text += fmt::format("metrics {}\n", run.value("metrics", nlohmann::json::object()).dump());
  if (is_there(folder / "events.jsonl")) {
    lines["events.jsonl"] = count_lines(folder / "events.jsonl", true);
    text += fmt::format("events.jsonl: {} lines\n", lines["events.jsonl"].get<int64_t>());
  }
  if (is_folder(folder / "predictions")) {
    for (const auto& file : entries_of(folder / "predictions")) {
      const std::string name = "predictions/" + file.filename().string();
      const int64_t rows = count_lines(file, false) - 1;
      text += fmt::format("{}: {} rows\n", name, rows);
      lines[name] = rows;
    }
  }
  if (is_there(folder / "model/model.safetensors")) {
    text += fmt::format("model/model.safetensors: {} tensors\n",
                        read_safetensors(folder / "model/model.safetensors").size());
  }
  return {text + files_text(folder, run), {{"kind", "run"}, {"run", run}, {"rows", lines}}};
}

// A folder below .stages.
Contents inspect_stage(const fs::path& folder) {
  const nlohmann::json stage = read_json_object(folder / kStageJson);
  Table table;
  table.header = {"file", "bytes"};
  const nlohmann::json files = stage.value("files", nlohmann::json::object());
  for (const auto& [name, file] : files.items()) {
    table.rows.push_back({name, integer_cell(file.value("size", int64_t{0}))});
  }
  std::string text =
      fmt::format("stage {}, format version {}\nmade from {}\n", stage.value("kind", "?"),
                  stage.value("version", 0), stage.value("inputs", nlohmann::json()).dump()) +
      write_console(table) + files_text(folder, stage);
  nlohmann::json data{{"kind", "stage"}, {"stage", stage}};
  for (const auto& [name, file] : files.items()) {
    if (!name.ends_with(".h5")) continue;
    const Contents store = inspect_store(folder / name);
    text += fmt::format("\n{}: {}", name, store.text);
    data["stores"][name] = store.data;
  }
  return {text, data};
}

// All runs below a folder: one line each.
Contents inspect_runs(const fs::path& folder) {
  Table table;
  table.header = {"run", "status", "files"};
  Problems damaged;
  for (const auto& run : read_runs({folder}, LostRecords::kList)) {
    const fs::path place = run.at("folder").get<std::string>();
    std::string state = "as written";
    try {
      if (text_of(run, "status") == kDamaged)
        throw_user_error(place.string(), text_of(run, "reason"));
      if (!run.contains("files")) state = "not listed";
      check_files(place, run.value("files", nlohmann::json()));
    } catch (const Error& error) {
      state = error.message();
      damaged.add(error.where(), error.message());
    }
    table.rows.push_back({run.value("run_id", "?"), run.value("status", "?"), state});
  }
  damaged.throw_if_any(folder.string());
  return {write_console(table), {{"kind", "runs"}, {"runs", rows_json(table)}}};
}

}  // namespace

Contents inspect(const fs::path& path) {
  if (!is_there(path)) throw_user_error(path.string(), "no such file or folder");
  if (is_folder(path)) {
    if (is_there(path / kRunJson)) return inspect_run(path);
    if (is_there(path / kStageJson)) return inspect_stage(path);
    return inspect_runs(path);
  }
  refuse_stand_in(path);
  const std::string extension = path.extension();
  if (extension == ".h5") return inspect_store(path);
  if (extension == ".safetensors") return inspect_tensors(path);
  if (extension == ".toml") {
    const nlohmann::json config = load_experiment(path, {}).to_json();
    return {config.dump(2) + "\n", {{"kind", "experiment"}, {"config", config}}};
  }
  throw_user_error(
      path.string(), "cannot be inspected",
      "a store (.h5), weights (.safetensors), an experiment (.toml), or a folder of results");
}

}  // namespace kdbench
