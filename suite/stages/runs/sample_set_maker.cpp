// SPDX-License-Identifier: MIT
#include "suite/stages/runs/sample_set_maker.h"

#include <algorithm>

#include "io/base/partial_file.h"
#include "io/tasks/glue.h"
#include "io/tokenizers/tokenizer.h"
#include "suite/models/build_model.h"
#include "suite/stages/runs/language_model_stage.h"
#include "suite/transfer/sample_set.h"
#include "suite/transfer/set_file.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// How often each id begins a text of the split.
std::vector<int64_t> first_ids(const FeatureSplit& texts, int64_t vocabulary) {
  std::vector<int64_t> counts(static_cast<size_t>(vocabulary), 0);
  for (int64_t row = 0; row < texts.rows(); ++row) {
    if (texts.offsets[row] < texts.offsets[row + 1])
      ++counts.at(static_cast<size_t>(texts.tokens[texts.offsets[row]]));
  }
  return counts;
}

nlohmann::json write_samples(ModelStage& stage, const Task& task, const SampleSettings& settings,
                             const fs::path& file, const Workspace& workspace) {
  InitialModel initial = stage.initial();
  initial.settings.weights = stage.finished_model(workspace);
  initial.settings.init = "weights";
  initial.frozen = true;
  const auto model = build_model(initial, workspace);
  const auto& language_model = dynamic_cast<const LanguageModel&>(*model);
  const auto tokenizer = load_tokenizer(tokenizer_folder(stage.initial().settings, task));
  const auto texts = stage.rows().rows(workspace).store.split(kTrainSplit);
  const SampleSource source{language_model, *tokenizer,
                            first_ids(*texts, language_model.config().vocabulary)};
  const int64_t samples = settings.count(texts->rows(), task.pair());
  const SampleSet set = write_sample_set(source, task.pair(), samples, settings, set_layout(task),
                                         file, workspace.control);
  stage.rows().release();
  return to_json(set);
}

// As many rows, of the training texts again and again.
nlohmann::json write_stand_in(const fs::path& root, const Task& task, int64_t limit,
                              const SampleSettings& settings, const fs::path& file,
                              const Workspace& workspace) {
  workspace.control.on_root([&] {
    const GlueFile rows = read_glue(root, task, kTrainSplit, limit);
    const auto count = static_cast<int64_t>(rows.rows.size());
    const FileLayout layout = set_layout(task);
    PartialFile partial(file);
    std::string lines = set_header(layout) + "\n";
    for (int64_t i = 0; i < settings.count(count, task.pair()); ++i) {
      const GlueRow& row = rows.rows[static_cast<size_t>(i % count)];
      add_set_row(layout, i, task.pair() ? row.text_a + "\t" + row.text_b : row.text_a, lines);
      if (lines.size() < (size_t{1} << 20)) continue;
      partial.write(lines.data(), lines.size());
      lines.clear();
    }
    partial.write(lines.data(), lines.size());
    partial.commit();
  });
  return nlohmann::json::object();
}

}  // namespace

SetMaker sample_set_maker(StageContext& context, const Task& task) {
  const DataSettings& data = context.experiment.data;
  const LanguageSettings& settings = context.experiment.transfer->language;
  const int64_t limit = context.experiment.train_limit_of(task.name);
  ModelStage& stage = language_model_stage(context, task);
  SetMaker maker;
  maker.kind = transfer_kind::kLanguageModel;
  maker.needs = {&stage, &stage.rows()};
  maker.inputs = [&stage, &settings]() -> nlohmann::json {
    return {{"kind", transfer_kind::kLanguageModel},
            {"model", stage.hash()},
            {"sampling", keys_json(sample_keys(), settings)}};
  };
  maker.write = [&stage, &settings, &task](const fs::path& file, const Workspace& workspace) {
    nlohmann::json record = write_samples(stage, task, settings.sampling, file, workspace);
    record["kind"] = transfer_kind::kLanguageModel;
    record["sampling"] = keys_json(sample_keys(), settings);
    return record;
  };
  maker.stand_in = [&data, &settings, &task, limit](const fs::path& file,
                                                    const Workspace& workspace) {
    return write_stand_in(data.root, task, limit, settings.sampling, file, workspace);
  };
  return maker;
}

}  // namespace kdbench
