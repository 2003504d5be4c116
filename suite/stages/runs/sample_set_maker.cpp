// SPDX-License-Identifier: MIT
#include "suite/stages/runs/sample_set_maker.h"

#include <memory>
#include <optional>

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

nlohmann::json write_samples(ModelStage& stage, const GlueFile& rows, const Task& task,
                             const SampleSettings& settings, const fs::path& file,
                             const Workspace& workspace) {
  InitialModel initial = stage.initial();
  initial.settings.weights = stage.finished_model(workspace);
  initial.settings.init = "weights";
  initial.frozen = true;
  // Where texts are drawn, so that they are the same on any device.
  Workspace on_cpu = workspace;
  on_cpu.device = at::kCPU;
  const auto model = build_model(initial, on_cpu);
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<SampleSource> source;
  workspace.control.agree([&] {
    tokenizer = load_tokenizer(tokenizer_folder(stage.initial().settings, task));
    source.emplace(
        sample_source(dynamic_cast<const TextModel&>(*model), *tokenizer, rows.rows, task.pair()));
  });
  const int64_t samples = settings.count(static_cast<int64_t>(rows.rows.size()), task.pair());
  const SampleSet set = write_sample_set(*source, task.pair(), samples, settings, set_layout(task),
                                         file, workspace.control);
  return to_json(set);
}

// As many rows, of the training texts again and again.
nlohmann::json write_stand_in(const GlueFile& rows, const Task& task,
                              const SampleSettings& settings, const fs::path& file,
                              const Workspace& workspace) {
  workspace.control.on_root([&] {
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
  const LanguageSettings& settings = context.experiment.transfer->language;
  FeatureRequest request = feature_request(context, task, {});
  request.text = settings.texts;
  ModelStage& stage = language_model_stage(context, task);
  SetMaker maker;
  maker.kind = transfer_kind::kLanguageModel;
  maker.needs = {&stage};
  maker.inputs = [&stage, &settings]() -> nlohmann::json {
    return {{"kind", transfer_kind::kLanguageModel},
            {"model", stage.hash()},
            {"sampling", sampling_json(settings)}};
  };
  // The training rows that the model has learned.
  const auto rows = [request](const Workspace& workspace) {
    GlueFile file;
    workspace.control.agree([&] { file = read_split(request, kTrainSplit); });
    return file;
  };
  maker.write = [&stage, &settings, &task, rows](const fs::path& file, const Workspace& workspace) {
    nlohmann::json record =
        write_samples(stage, rows(workspace), task, settings.sampling, file, workspace);
    record["kind"] = transfer_kind::kLanguageModel;
    record["sampling"] = sampling_json(settings);
    return record;
  };
  maker.stand_in = [&settings, &task, rows](const fs::path& file, const Workspace& workspace) {
    return write_stand_in(rows(workspace), task, settings.sampling, file, workspace);
  };
  return maker;
}

}  // namespace kdbench
