// SPDX-License-Identifier: MIT
#include "suite/stages/output_budget.h"

#include <algorithm>

#include "io/error.h"
#include "io/teacher_store_writer.h"
#include "suite/config/method_models.h"
#include "suite/machine/machine.h"
#include "suite/stages/selection.h"
#include "suite/stages/teacher.h"
#include "suite/stages/teacher_outputs.h"

namespace kdbench {
namespace {

bool is_stored(const StudentRequest& request, int64_t seed, const Features& teacher_rows,
               const std::filesystem::path& out) {
  const int64_t own = teacher_seed(*request.experiment, request.task->name, seed);
  const StageKey key = teacher_key(*request.experiment, *request.task, own, teacher_rows);
  return stage_is_there(
      out, teacher_outputs_key(teacher_at(out, key), shared_needs(request), teacher_rows));
}

// What all methods so far store together has room, or is there for all seeds of this one.
bool fits(const StudentRequest& request, const Features& teacher_rows,
          const std::filesystem::path& out, int64_t budget) {
  const ModelShapes shapes = method_shapes(*request.experiment, *request.method, *request.task);
  const FeatureSplit& rows = *teacher_rows.store.split("train");
  const TeacherNeeds shared = shared_needs(request);
  // Hidden states stay on the disk: memory is no limit for them.
  const int64_t disk_budget = disk_of(out).free_bytes / 2;
  if (teacher_outputs_bytes(rows.rows(), shared, shapes) <= budget &&
      teacher_store_bytes(rows, shared, shapes) <= std::max(budget, disk_budget)) {
    return true;
  }
  const auto seeds = request.experiment->train_of(request.task->name, *request.method).seeds;
  return std::all_of(seeds.begin(), seeds.end(),
                     [&](int64_t seed) { return is_stored(request, seed, teacher_rows, out); });
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

int64_t teacher_outputs_budget(int64_t free_disk, int64_t available_memory, int ranks_per_host) {
  return std::min(free_disk, available_memory / std::max(1, ranks_per_host)) / 2;
}

int64_t teacher_outputs_budget(const std::filesystem::path& out, int ranks_per_host) {
  return teacher_outputs_budget(disk_of(out).free_bytes, available_memory_bytes(), ranks_per_host);
}

std::vector<std::string> methods_online(const Experiment& experiment, const Task& task,
                                        const Features& teacher_rows,
                                        const std::filesystem::path& out, int64_t budget) {
  Experiment trial = experiment;
  const auto is_automatic = [&](const MethodSettings& method) {
    return method.teacher_outputs == "auto" &&
           takes_outputs(student_needs({&trial, &task, &method, 1}));
  };
  std::vector<MethodSettings*> automatic;
  for (auto& method : trial.methods) {
    if (is_automatic(method)) automatic.push_back(&method);
  }
  for (auto* method : automatic) method->teacher_outputs = "online";
  std::vector<std::string> online;
  for (auto* method : automatic) {
    method->teacher_outputs = "auto";
    if (fits({&trial, &task, method, 1}, teacher_rows, out, budget)) continue;
    method->teacher_outputs = "online";
    online.push_back(method->label);
  }
  return online;
}

void set_online(Experiment& experiment, const std::vector<std::string>& labels) {
  for (auto& method : experiment.methods) {
    if (std::find(labels.begin(), labels.end(), method.label) != labels.end())
      method.teacher_outputs = "online";
  }
}

}  // namespace kdbench
