// SPDX-License-Identifier: MIT
// A whole transfer set by a language model (d-heavy, Tang et al. 2019, D19-6122): texts drawn,
// cleaned and written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "io/tasks/glue.h"
#include "io/tasks/task.h"
#include "io/tokenizers/tokenizer.h"
#include "methods/models/text_model.h"
#include "suite/ranks/control.h"
#include "suite/transfer/sample_keys.h"

namespace kdbench {

// What texts are drawn from.
struct SampleSource {
  const TextModel& model;
  const Tokenizer& tokenizer;
  // Of a LanguageModel: how often each id begins a training text; the first id of a sample is drawn
  // by these.
  std::vector<int64_t> first_ids = {};
  // Of a MaskedModel: the texts that some words of are masked, and filled.
  std::span<const GlueRow> rows = {};
};

// What the model takes of `rows`, which outlive it. Local.
SampleSource sample_source(const TextModel& model, const Tokenizer& tokenizer,
                           std::span<const GlueRow> rows, bool pair);

// What came of it, over all ranks.
struct SampleSet {
  int64_t begun = 0, written = 0;
  int64_t without_end = 0;  // of the begun: cut at sample_length
  int64_t malformed = 0;    // dropped: blank, or of pairs not two texts
  int64_t ids = 0;          // drawn
};

// Begins `samples` texts and writes those that are well-formed, in the order of their numbers, to
// the new file `path` with the columns of `layout`: the same bytes on any number of ranks. What a
// killed job has left of the same set (<path>.partial, <path>.progress) is gone on with. A user
// error, and no file, where no text ends or none is well-formed. Collective.
SampleSet write_sample_set(const SampleSource& source, bool pair, int64_t samples,
                           const SampleSettings& settings, const FileLayout& layout,
                           const std::filesystem::path& path, const Control& control);

// Of everything that decides the bytes of a set. Local; reads all of the weights.
std::string sample_identity(const SampleSource& source, bool pair, int64_t samples,
                            const SampleSettings& settings, const FileLayout& layout);

// For records.
nlohmann::json to_json(const SampleSet& set);

}  // namespace kdbench
