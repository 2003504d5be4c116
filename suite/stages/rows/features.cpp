// SPDX-License-Identifier: MIT
#include "suite/stages/rows/features.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/sha256.h"
#include "io/stores/prepare.h"
#include "io/tasks/glue.h"
#include "io/tasks/own_task.h"
#include "io/tokenizers/word_vocabulary.h"
#include "suite/transfer/set_file.h"
#include "suite/transfer/text_draws.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> present_splits(const FeatureRequest& request) {
  std::vector<std::string> names;
  if (request.files == TaskFiles::kNone) return names;
  for (const auto& split : request.task->splits) {
    if (split.name == kTrainSplit && request.files == TaskFiles::kUntrained) continue;
    if (is_there(glue_path(request.root, *request.task, split.name))) names.push_back(split.name);
  }
  if (names.empty()) {
    throw_user_error(
        glue_path(request.root, *request.task, request.task->splits.front().name).string(),
        "no file of task " + request.task->name + " is there", "is data.root the GLUE folder?");
  }
  return names;
}

// Where a row's text is cut: the same in every epoch, as rows are encoded once.
double cut_of(int64_t row) {
  static const uint64_t seed = derive_seed(0, "split_encode");
  return unit(philox(seed, {0, static_cast<uint32_t>(row), 0, 0})[0]);
}

RowShape shape_of(const FeatureRequest& request) {
  if (!request.text) return {static_cast<int>(request.max_seq_length), request.layout};
  const bool cut = request.layout == RowLayout::kText && request.text->split_encode;
  return {static_cast<int>(request.text->text_length), request.layout,
          cut ? cut_of : std::function<double(int64_t)>()};
}

// Calls `take` with all rows of the transfer set that are in part `part` of `parts`, a window at a
// time.
void for_transfer_rows(const FeatureRequest& request, const fs::path& file, int part, int parts,
                       const std::function<void(std::vector<GlueRow>)>& take) {
  const FileLayout layout = set_layout(*request.task);
  const int64_t rows = count_rows(file, layout);
  read_row_windows(file, *request.task, layout, rows * part / parts, rows * (part + 1) / parts,
                   take);
}

FeatureSlice tokenize_transfer(const FeatureRequest& request, const Tokenizer& tokenizer, int part,
                               int parts, const Workspace& workspace) {
  FeatureSlice share;
  GlueFile window;
  const fs::path& file = request.transfer.front().path;
  for_transfer_rows(request, file, part, parts, [&](std::vector<GlueRow> rows) {
    window.rows = std::move(rows);
    const auto end = static_cast<int64_t>(window.rows.size());
    append(share, tokenize_rows(tokenizer, *request.task, window, 0, end, shape_of(request),
                                workspace.threads));
  });
  share.name = kTransferSplit;
  share.source_sha256 = file_sha256(file);
  return share;
}

FeatureSlice tokenize_split(const FeatureRequest& request, const Tokenizer& tokenizer,
                            const std::string& split, int part, int parts,
                            const Workspace& workspace) {
  const GlueFile file = read_split(request, split);
  const auto rows = static_cast<int64_t>(file.rows.size());
  FeatureSlice share =
      tokenize_rows(tokenizer, *request.task, file, rows * part / parts, rows * (part + 1) / parts,
                    shape_of(request), workspace.threads);
  share.name = split;
  share.source_sha256 = file.sha256;
  return share;
}

nlohmann::json hashes_of_files(const FeatureRequest& request) {
  nlohmann::json files;
  for (const auto& split : present_splits(request)) {
    files[split] = file_sha256(glue_path(request.root, *request.task, split));
  }
  for (const auto& set : request.transfer) files[kTransferSplit].push_back(set.identity);
  return files;
}

nlohmann::json inputs_of(const FeatureRequest& request, const Tokenizer& tokenizer) {
  nlohmann::json inputs{{"task", request.task->name},
                        {"files", hashes_of_files(request)},
                        {"tokenizer", tokenizer.sha256()},
                        {"max_seq_length", request.max_seq_length},
                        {"train_limit", request.train_limit}};
  if (request.layout == RowLayout::kApart) inputs["layout"] = "apart";
  if (const auto& text = request.text) {
    inputs["max_seq_length"] = text->text_length;
    if (request.layout == RowLayout::kText) {
      inputs["layout"] = "text";
      inputs["split_encode"] = text->split_encode;
    }
    if (!text->only_label.empty()) inputs["filter_label"] = text->only_label;
  }
  if (request.task->own) inputs["declaration"] = declaration(*request.task);
  return inputs;
}

FeatureStoreInfo info_of(const FeatureRequest& request, const Tokenizer& tokenizer) {
  return {request.task->name,
          tokenizer.sha256(),
          shape_of(request).max_length,
          request.train_limit,
          tokenizer.second_segment_type(),
          shape_of(request).layout};
}

}  // namespace

GlueFile read_split(const FeatureRequest& request, const std::string& split) {
  GlueFile file =
      read_glue(request.root, *request.task, split, split == kTrainSplit ? request.train_limit : 0);
  const std::string only = request.text ? request.text->only_label : "";
  if (!only.empty()) {
    std::erase_if(file.rows,
                  [&](const GlueRow& row) { return !row.label.empty() && row.label != only; });
    if (file.rows.empty())
      throw_user_error(file.path.string(), "has no row with the label " + only,
                       "transfer.filter_label names it");
  }
  return file;
}

nlohmann::json words_inputs(const FeatureRequest& request) {
  nlohmann::json inputs{{"task", request.task->name},
                        {"files", hashes_of_files(request)},
                        {"train_limit", request.train_limit}};
  if (request.task->own) inputs["declaration"] = declaration(*request.task);
  return inputs;
}

std::vector<std::string> words_of(const FeatureRequest& request) {
  WordCollector words;
  Problems problems;  // of all files
  for (const auto& split : present_splits(request)) {
    problems.collect([&] {
      for (const auto& row : read_split(request, split).rows) {
        words.add(row.text_a);
        words.add(row.text_b);
      }
    });
  }
  problems.throw_if_any(request.task->name);
  for (const auto& set : request.transfer) {
    for_transfer_rows(request, set.path, 0, 1, [&](const std::vector<GlueRow>& rows) {
      for (const auto& row : rows) {
        words.add(row.text_a);
        words.add(row.text_b);
      }
    });
  }
  return words.vocabulary();
}

StageKey features_key(const FeatureRequest& request) {
  return {"features", kFeatureStoreVersion, inputs_of(request, *load_tokenizer(request.tokenizer))};
}

std::vector<FeatureSlice> tokenize_splits(const FeatureRequest& request, const Tokenizer& tokenizer,
                                          int part, int parts, const Workspace& workspace) {
  std::vector<FeatureSlice> splits;
  Problems problems;  // of all files
  for (const auto& split : present_splits(request)) {
    problems.collect([&] {
      splits.push_back(tokenize_split(request, tokenizer, split, part, parts, workspace));
    });
  }
  problems.throw_if_any(request.task->name);
  if (!request.transfer.empty())
    splits.push_back(tokenize_transfer(request, tokenizer, part, parts, workspace));
  return splits;
}

FeatureStore tokenize(const FeatureRequest& request, const Workspace& workspace) {
  const auto tokenizer = load_tokenizer(request.tokenizer);
  FeatureStore store{info_of(request, *tokenizer), {}};
  for (auto& split : tokenize_splits(request, *tokenizer, 0, 1, workspace)) {
    const std::string name = split.name;
    store.splits[name] = std::make_shared<FeatureSplit>(std::move(split));
  }
  return store;
}

void prepare_features(const FeatureRequest& request, const fs::path& file,
                      const Workspace& workspace) {
  FeatureStoreInfo info;
  std::vector<FeatureSlice> shares;
  workspace.control.agree([&] {
    const auto tokenizer = load_tokenizer(request.tokenizer);
    info = info_of(request, *tokenizer);
    shares = tokenize_splits(request, *tokenizer, workspace.control.rank(),
                             workspace.control.size(), workspace);
  });
  write_feature_store(file, workspace.control.comm(), info, shares);
}

nlohmann::json describe(const Features& features) {
  const FeatureStoreInfo& info = features.store.info;
  nlohmann::json json{{"features", features.hash},
                      {"tokenizer_sha256", info.tokenizer_sha256},
                      {"max_seq_length", info.max_seq_length},
                      {"train_limit", info.train_limit},
                      {"synthetic", features.synthetic}};
  if (!features.declaration.is_null()) json["declaration"] = features.declaration;
  for (const auto& [name, split] : features.store.splits) {
    json["splits"][name] = {{"source_sha256", split->source_sha256},
                            {"rows", split->rows()},
                            {"left_out", split->left_out},
                            {"tokens", split->tokens.size()}};
  }
  return json;
}

int64_t rows_bytes(const FeatureStore& store) {
  int64_t bytes = 0;
  for (const auto& [name, split] : store.splits) bytes += stored_bytes(*split);
  return bytes;
}

}  // namespace kdbench
