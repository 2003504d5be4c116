// SPDX-License-Identifier: MIT
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/tokenizers/tokenizer.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"
#include "suite/machine/provenance.h"
#include "suite/machine/stopwatch.h"
#include "suite/transfer/sample_set.h"
#include "suite/transfer/set_file.h"
#include "suite/verbs/key_flags.h"
#include "suite/verbs/registry.h"
#include "suite/verbs/text_source.h"

namespace kdbench {
namespace {

struct GenerateOptions {
  std::string model, out;
  TextSourceOptions source;
  LanguageSettings language;
  int threads = 0;
  bool infill_given = false;  // --infill-prob
};

// Texts that are cut are worth a word when they are more than this part of all.
constexpr double kManyCut = 0.1;

// A language model with its weights and its vocabulary.
struct LoadedLanguageModel {
  std::unique_ptr<TextModel> model;
  std::shared_ptr<const Tokenizer> tokenizer;
};

LoadedLanguageModel load_language_model(const std::filesystem::path& folder) {
  ModelSpec spec;
  spec.config = read_model_config(folder, ModelForm::kLanguage);
  const Architecture& architecture = find_architecture(spec.config.architecture);
  if (!architecture.language_model) {
    throw_user_error(folder.string(), "a " + architecture.name + " model makes no texts",
                     "a language model is needed: gpt2, transfo-xl or bert");
  }
  LoadedLanguageModel loaded;
  loaded.tokenizer = load_tokenizer(folder);
  loaded.tokenizer->text_marks();  // it must have them
  if (architecture.fills_masks) loaded.tokenizer->mask_marks();
  check_vocabulary(folder, loaded.tokenizer->vocabulary_size(), spec.config);
  loaded.model = make_text_model(spec);
  const LoadReport report = initialize_from_checkpoint(*loaded.model, folder, "weights");
  if (!report.missing.empty()) {
    throw_user_error(folder.string(), "holds no " + report.missing.front(),
                     "the whole model is needed");
  }
  return loaded;
}

void check_sampling(const SampleSettings& sampling, Problems& problems) {
  const auto expect = [&](bool fits, const char* flag, const std::string& what) {
    if (!fits) problems.add(flag, "expected " + what);
  };
  expect(sampling.samples >= 0, "--samples", "a whole number from 0 on");
  expect(sampling.temperature > 0, "--temperature", "a number above 0");
  expect(sampling.top_k >= 0, "--top-k", "a whole number from 0 on");
  expect(sampling.top_p > 0 && sampling.top_p <= 1, "--top-p", "a number above 0, at most 1");
  expect(sampling.sample_length >= 2, "--sample-length", "2 or more");
  expect(sampling.infill_prob >= 0 && sampling.infill_prob <= 1, "--infill-prob",
         "a number from 0 to 1");
  expect(sampling.sample_seed >= 0, "--sample-seed", "a whole number from 0 on");
}

// Reads the rows and finds all that is wrong. Local.
TextSource check_generate(GenerateOptions& options, GlueFile& rows, LoadedLanguageModel& model) {
  TextSource source;
  Problems problems;
  read_own_tasks(options.source.own, problems);
  const SampleSettings& sampling = options.language.sampling;
  check_sampling(sampling, problems);
  problems.collect([&] {
    source = text_source_of(options.source);
    rows = read_source(options.source, source);
  });
  problems.collect([&] {
    if (is_there(options.out))
      throw_user_error("--out " + options.out, "is already there", "results are never overwritten");
  });
  problems.collect([&] {
    model = load_language_model(options.model);
    options.language.fills_masks =
        find_architecture(model.model->config().architecture).fills_masks;
    if (!options.language.fills_masks && options.infill_given)
      throw_user_error("--infill-prob", "is of language models that fill masks, as bert");
  });
  problems.throw_if_any("generate");
  return source;
}

void answer_set(const GenerateOptions& options, const SampleSet& set, double seconds,
                Answer& answer) {
  const double share = static_cast<double>(set.without_end) / static_cast<double>(set.begun);
  answer.text(fmt::format("texts begun {}, rows out {}, malformed {}, cut at {} ids {}\n",
                          set.begun, set.written, set.malformed,
                          options.language.sampling.sample_length, set.without_end));
  if (share > kManyCut) {
    answer.text(fmt::format(
        "{:.0f} % of the texts {}allow more ids (--sample-length)\n", 100 * share,
        options.language.fills_masks ? "were cut: " : "did not end: train the model longer, or "));
  }
  answer.text(fmt::format("{}: {} rows in {:.1f} s ({:.0f} ids/s)\n", options.out, set.written,
                          seconds, static_cast<double>(set.ids) / seconds));
  nlohmann::json& json = answer.data["transfer_set"];
  json = to_json(set);
  json.update({{"file", options.out},
               {"task", options.source.task},
               {"model", options.model},
               {"sampling", sampling_json(options.language)},
               {"seconds", seconds}});
}

ExitCode generate(GenerateOptions options, const VerbContext& context) {
  at::set_num_threads(threads_per_rank(context.control, options.threads));
  GlueFile rows;
  TextSource from;
  LoadedLanguageModel loaded;
  context.control.agree([&] { from = check_generate(options, rows, loaded); });
  const auto out = plain_path(options.out);
  context.control.on_root([&] { make_folder_of(out); });
  std::optional<SampleSource> source;
  context.control.agree([&] {
    source.emplace(sample_source(*loaded.model, *loaded.tokenizer, rows.rows, from.pair()));
  });
  const SampleSettings& sampling = options.language.sampling;
  const auto start = std::chrono::steady_clock::now();
  const SampleSet set = write_sample_set(
      *source, from.pair(), sampling.count(static_cast<int64_t>(rows.rows.size()), from.pair()),
      sampling, from.out, out, context.control);
  context.control.on_root([&] { answer_set(options, set, seconds_since(start), context.answer); });
  return ExitCode::kDone;
}

}  // namespace

Verb generate_verb() {
  return {"generate", "d-heavy's transfer set: texts that a language model makes",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<GenerateOptions>();
            app.add_option(
                   "--model", options->model,
                   "folder of a language model (gpt2, transfo-xl, bert) with its vocabulary")
                ->required();
            add_text_source_options(app, options->source);
            app.add_option("--out", options->out, "the set to write (.tsv)")->required();
            add_key_flags(app, sample_keys(), options->language);
            app.add_option("--threads", options->threads,
                           "per rank; 0: this rank's part of the host's cores")
                ->check(CLI::NonNegativeNumber);
            app.footer(
                "A text begins as a row of the data does; of bert it is a row some words of which "
                "are masked and filled. The set has the columns of the task's "
                "test rows: as <TASK>/test.tsv of a folder it goes to predict or export, whose "
                "logits join adds. Sampling is on the CPU.");
            return [options, &app](const VerbContext& context) {
              options->infill_given = app.count("--infill-prob") > 0;
              return generate(*options, context);
            };
          }};
}

}  // namespace kdbench
