// SPDX-License-Identifier: MIT
#include "suite/transfer/tagger_source.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/base/look.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/words/tagged_corpus.h"
#include "io/words/tagger_training.h"
#include "suite/ranks/workspace.h"

namespace kdbench {
namespace {

constexpr const char* kNoTagger =
    "none: words of about the same frequency stand for one part of speech (a tagger "
    "or a tagged corpus gives some)";

nlohmann::json answer(const TaggerModel& model, const std::string& description) {
  return {{"model", to_json(model)}, {"description", description}};
}

nlohmann::json trained(const TaggerSource& source) {
  std::vector<TaggedSentence> sentences;
  std::vector<std::string> names;
  Problems problems;
  for (const auto& file : source.corpora) {
    names.push_back(file.string());
    problems.collect([&] {
      for (auto& sentence : read_tagged_corpus(file)) sentences.push_back(std::move(sentence));
    });
  }
  problems.throw_if_any("tagged corpora");
  size_t words = 0;
  for (const auto& sentence : sentences) words += sentence.words.size();
  const std::string description =
      fmt::format("averaged perceptron, trained from {} ({} words)", joined(names, ", "), words);
  const TaggerModel model = train_tagger(std::move(sentences), {});
  if (!source.save.empty()) write_tagger(model, source.save);
  return answer(model, description);
}

}  // namespace

void check_tagger_source(const TaggerSource& source, Problems& problems, const KeyName& name) {
  const std::string folder = name("tagger"), corpora = name("tagged_corpus"),
                    save = name("save_tagger");
  if (!source.folder.empty() && !source.corpora.empty())
    problems.add(folder + ", " + corpora, "expected one of them");
  if (!source.save.empty() && source.corpora.empty())
    problems.add(save, "is of " + corpora + ": no tagger is trained");
  problems.collect([&] {
    if (!source.folder.empty() && !is_folder(source.folder))
      throw_user_error(folder + " " + source.folder.string(), "is no folder");
    for (const auto& file : source.corpora) {
      if (!is_file(file)) throw_user_error(corpora + " " + file.string(), "is no file");
    }
    if (!source.save.empty() && is_there(source.save))
      throw_user_error(save + " " + source.save.string(), "is already there",
                       "results are never overwritten");
  });
}

nlohmann::json tagger_inputs(const TaggerSource& source) {
  if (!source.folder.empty()) return {{"tagger", json_hash(to_json(read_tagger(source.folder)))}};
  nlohmann::json inputs = nlohmann::json::object();
  for (const auto& file : source.corpora) inputs["tagged_corpora"].push_back(file_sha256(file));
  return inputs;
}

LoadedTagger load_tagger(const TaggerSource& source, const Control& control) {
  if (source.folder.empty() && source.corpora.empty()) return {std::nullopt, kNoTagger};
  const nlohmann::json loaded = from_root(control, [&]() -> nlohmann::json {
    if (!source.corpora.empty()) return trained(source);
    return answer(read_tagger(source.folder), "averaged perceptron of " + source.folder.string());
  });
  return {tagger_of_json(loaded.at("model"), "the tagger"), loaded.at("description")};
}

}  // namespace kdbench
