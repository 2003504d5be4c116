// SPDX-License-Identifier: MIT
#include "suite/stages/output_budget.h"

#include <algorithm>
#include <set>

#include "io/base/error.h"
#include "io/stores/teacher_store_writer.h"
#include "suite/config/method_models.h"
#include "suite/machine/machine.h"
#include "suite/stages/selection.h"
#include "suite/stages/teacher.h"
#include "suite/stages/teacher_outputs.h"

namespace kdbench {
namespace {

// Seeds of the teachers whose outputs are stored for one method or more.
std::set<int64_t> stored_seeds(const Experiment& experiment, const Task& task) {
  std::set<int64_t> seeds;
  for (const auto& method : experiment.methods) {
    if (method.teacher_outputs_file || method.teacher_outputs == "online") continue;
    if (!takes_outputs(student_needs({&experiment, &task, &method, 1}))) continue;
    for (const int64_t seed : experiment.train_of(task.name, method).seeds)
      seeds.insert(teacher_seed(experiment, task.name, seed));
  }
  return seeds;
}

// What the methods that store take together.
struct StoredOutputs {
  int64_t memory = 0;    // of a rank
  int64_t new_disk = 0;  // of all teachers whose store is not there yet
};

StoredOutputs stored_outputs(const StudentRequest& any, const Features& teacher_rows,
                             const std::filesystem::path& out) {
  const Experiment& experiment = *any.experiment;
  const ModelShapes shapes = method_shapes(experiment, *any.method, *any.task);
  const FeatureSplit& rows = *teacher_rows.store.split("train");
  const TeacherNeeds needs = shared_needs(any);
  StoredOutputs stored;
  stored.memory = teacher_outputs_bytes(rows.rows(), needs, shapes);
  for (const int64_t seed : stored_seeds(experiment, *any.task)) {
    const StageKey key = teacher_key(experiment, *any.task, seed, teacher_rows);
    if (!stage_is_there(out, teacher_outputs_key(teacher_at(out, key), needs, teacher_rows)))
      stored.new_disk += teacher_store_bytes(rows, needs, shapes);
  }
  return stored;
}

}  // namespace

int64_t teacher_outputs_bytes(int64_t rows, const TeacherNeeds& needs, const ModelShapes& shapes) {
  if (!takes_outputs(needs)) return 0;
  int64_t floats = shapes.outputs;
  if (shapes.teacher) {
    floats += static_cast<int64_t>(needs.cls_layers.size()) * shapes.teacher->hidden;
  }
  return rows * (static_cast<int64_t>(sizeof(int64_t)) + floats * int64_t{sizeof(float)});
}

int64_t teacher_store_bytes(const FeatureSplit& rows, const TeacherNeeds& needs,
                            const ModelShapes& shapes) {
  if (!takes_outputs(needs)) return 0;
  TeacherSplitSize size;
  size.rows = rows.rows();
  size.tokens = rows.offsets.back();
  size.classes = shapes.outputs;
  size.hidden_size = shapes.teacher ? shapes.teacher->hidden : 0;
  size.cls_layers = static_cast<int64_t>(needs.cls_layers.size());
  size.hidden_layers = static_cast<int64_t>(needs.hidden_layers.size());
  return stored_bytes(size, "float32");
}

OutputBudget output_budget(int64_t free_disk, int64_t available_memory, int copies) {
  return {free_disk / 2, available_memory / std::max(1, copies) / 2};
}

OutputBudget output_budget(const std::filesystem::path& out, int copies) {
  return output_budget(disk_of(out).free_bytes, available_memory_bytes(), copies);
}

std::vector<std::string> methods_online(const Experiment& experiment, const Task& task,
                                        const Features& teacher_rows,
                                        const std::filesystem::path& out, OutputBudget& budget) {
  Experiment trial = experiment;
  const auto stored = [&](const MethodSettings& method) {
    return stored_outputs({&trial, &task, &method, 1}, teacher_rows, out);
  };
  std::vector<MethodSettings*> automatic;
  for (auto& method : trial.methods) {
    if (method.teacher_outputs == "auto" &&
        takes_outputs(student_needs({&trial, &task, &method, 1}))) {
      automatic.push_back(&method);
    }
  }
  for (auto* method : automatic) method->teacher_outputs = "online";
  std::vector<std::string> online;
  for (auto* method : automatic) {
    method->teacher_outputs = "auto";
    const StoredOutputs all = stored(*method);
    const bool on_disk = all.new_disk == 0 || all.new_disk <= budget.disk;
    if (all.memory <= budget.memory && on_disk) continue;
    method->teacher_outputs = "online";
    online.push_back(method->label);
  }
  if (!trial.methods.empty()) budget.disk -= stored(trial.methods.front()).new_disk;
  return online;
}

void set_online(Experiment& experiment, const std::vector<std::string>& labels) {
  for (auto& method : experiment.methods) {
    if (std::find(labels.begin(), labels.end(), method.label) != labels.end())
      method.teacher_outputs = "online";
  }
}

}  // namespace kdbench
