// SPDX-License-Identifier: MIT
// Where the parts of speech come from: a tagger's folder, a tagged corpus to train one from, or
// neither.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/words/tagger.h"
#include "suite/ranks/control.h"
#include "suite/transfer/text_rules.h"

namespace kdbench {

struct TaggerSource {
  std::filesystem::path folder;                // of read_tagger, or ""
  std::vector<std::filesystem::path> corpora;  // of read_tagged_corpus, or none
  std::filesystem::path save;                  // where a trained one is left, or ""
};

struct LoadedTagger {
  std::optional<TaggerModel> model;
  std::string description;  // for the user: what tags the words, or what stands for tags
};

// Adds what contradicts itself or is not there, each by the name of its key ("tagger",
// "tagged_corpus", "save_tagger"). Local; reads no contents.
void check_tagger_source(const TaggerSource& source, Problems& problems,
                         const KeyName& name = flag_of);

// What the tags depend on: contents of files, wherever they lie. Local; throws user errors.
nlohmann::json tagger_inputs(const TaggerSource& source);

// The root reads or trains, all ranks get the same. Collective; throws user errors.
LoadedTagger load_tagger(const TaggerSource& source, const Control& control);

}  // namespace kdbench
