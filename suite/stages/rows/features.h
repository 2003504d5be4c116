// SPDX-License-Identifier: MIT
// Rows of GLUE files as a tokenizer cuts them, and the feature store of them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/stores/feature_store.h"
#include "io/tasks/glue.h"
#include "io/tasks/task.h"
#include "io/tokenizers/tokenizer.h"
#include "suite/graph/stage_store.h"
#include "suite/transfer/sample_keys.h"

namespace kdbench {

// Which of a task's files are read.
enum class TaskFiles { kAll, kUntrained, kNone };

// A transfer set's file, in the layout of set_file.h.
struct TransferFile {
  std::filesystem::path path;
  std::string identity;  // the hash of what it was made from
  std::string kind;      // for people
};

struct FeatureRequest {
  std::filesystem::path root;  // GLUE folder
  const Task* task = nullptr;
  std::filesystem::path tokenizer;  // folder
  int64_t max_seq_length = 128;
  int64_t train_limit = 0;
  bool synthetic = false;  // for run.json: the rows are nobody's language
  TaskFiles files = TaskFiles::kAll;
  RowLayout layout = RowLayout::kJoined;
  std::vector<TransferFile> transfer = {};          // beside those files: kTransferSplit, of one
  std::optional<TextSettings> text = std::nullopt;  // as a language model learns them
};

struct Features {
  std::filesystem::path file;
  std::string hash;  // of all inputs; "" for a store that is no stage
  FeatureStore store;
  bool synthetic = false;
  nlohmann::json declaration;  // of a task of the user's own; null for GLUE's
};

// A split's rows, as many as are asked for; of a language model those with the label that it
// learns. Local; throws user errors about the file.
GlueFile read_split(const FeatureRequest& request, const std::string& split);

// What the words of the request's files depend on, and the words: a vocabulary (word_vocabulary.h).
// Local; throw user errors about the files.
nlohmann::json words_inputs(const FeatureRequest& request);
std::vector<std::string> words_of(const FeatureRequest& request);

// The stage that a request names, by the content of its files and its tokenizer. Local.
StageKey features_key(const FeatureRequest& request);

// Every split whose file exists, tokenised in memory: part `part` of `parts` equal parts of each
// split's rows. Local.
std::vector<FeatureSlice> tokenize_splits(const FeatureRequest& request, const Tokenizer& tokenizer,
                                          int part, int parts, const Workspace& workspace);

// The same of all rows, as a store that is no file. Local.
FeatureStore tokenize(const FeatureRequest& request, const Workspace& workspace);

// Tokenizes every split whose file exists, each rank its consecutive part of the rows, and writes
// them to `file`. Collective.
void prepare_features(const FeatureRequest& request, const std::filesystem::path& file,
                      const Workspace& workspace);

// For run.json: hashes and sizes of what was read.
nlohmann::json describe(const Features& features);

// What the rows of all splits take in memory, once on a host.
int64_t rows_bytes(const FeatureStore& store);

}  // namespace kdbench
