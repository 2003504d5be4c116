// SPDX-License-Identifier: MIT
#include "io/base/sha256.h"
#include "io/tasks/own_task.h"
#include "suite/stages/rows/transfer_stage.h"
#include "suite/transfer/rule_set.h"

namespace kdbench {

SetMaker rule_set_maker(StageContext& context, const Task& task) {
  const DataSettings& data = context.experiment.data;
  const RuleSettings& settings = context.experiment.transfer->rules;
  const int64_t limit = context.experiment.train_limit_of(task.name);
  SetMaker maker;
  maker.kind = transfer_kind::kRules;
  maker.inputs = [&data, &settings, &task, limit] {
    nlohmann::json inputs{{"kind", "rules"},
                          {"task", task.name},
                          {"file", file_sha256(glue_path(data.root, task, kTrainSplit))},
                          {"train_limit", limit},
                          {"rules", rules_json(settings.set, task.pair())},
                          {"part_of_speech", tagger_inputs(settings.tagger)}};
    if (task.own) inputs["declaration"] = declaration(task);
    return inputs;
  };
  maker.write = [&data, &settings, &task, limit](const std::filesystem::path& file,
                                                 const Workspace& workspace) {
    GlueFile rows;
    workspace.control.agree([&] { rows = read_glue(data.root, task, kTrainSplit, limit); });
    const RuleSet set = write_rule_set(std::move(rows), task.pair(), settings, set_layout(task),
                                       file, workspace.control);
    nlohmann::json record = to_json(set, task.pair());
    record["kind"] = "rules";
    record["rules"] = rules_json(settings.set, task.pair());
    return record;
  };
  return maker;
}

}  // namespace kdbench
