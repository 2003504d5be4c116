// SPDX-License-Identifier: MIT
#include "suite/stages/output_budget.h"

#include <algorithm>

#include "io/error.h"
#include "suite/config/method_models.h"
#include "suite/machine/machine.h"

namespace kdbench {

int64_t teacher_outputs_bytes(int64_t rows, const TeacherNeeds& needs, const ModelShapes& shapes) {
  if (!needs.logits && needs.cls_layers.empty()) return 0;
  int64_t floats = shapes.outputs;
  if (shapes.teacher) {
    floats += static_cast<int64_t>(needs.cls_layers.size()) * shapes.teacher->hidden;
  }
  return rows * (static_cast<int64_t>(sizeof(int64_t)) + floats * int64_t{sizeof(float)});
}

int64_t teacher_outputs_budget(int64_t free_disk, int64_t available_memory, int ranks_per_host) {
  return std::min(free_disk, available_memory / std::max(1, ranks_per_host)) / 2;
}

int64_t teacher_outputs_budget(const std::filesystem::path& out, int ranks_per_host) {
  return teacher_outputs_budget(disk_of(out).free_bytes, available_memory_bytes(), ranks_per_host);
}

void check_outputs_fit(const StudentRequest& request, int64_t rows, int64_t budget) {
  const ModelShapes shapes = method_shapes(*request.experiment, *request.method, *request.task);
  const bool automatic = request.method->teacher_outputs == "auto";
  if (!automatic || teacher_outputs_bytes(1, student_needs(request), shapes) == 0) return;
  const int64_t bytes = teacher_outputs_bytes(rows, shared_needs(request), shapes);
  if (bytes <= budget) return;
  throw_user_error("method." + request.method->label + ".teacher_outputs",
                   request.task->name + ": the teacher's outputs take " +
                       bytes_text(static_cast<double>(bytes)) +
                       ", the budget of teacher_outputs = \"auto\" is " +
                       bytes_text(static_cast<double>(budget)) +
                       ", and \"online\" is not available yet",
                   "fewer teacher layers, a smaller train_limit, fewer ranks on a host, or "
                   "teacher_outputs = \"store\" to store them all the same");
}

}  // namespace kdbench
