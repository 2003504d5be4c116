// SPDX-License-Identifier: MIT
#include "suite/config/method_models.h"

#include "suite/models/initial_model.h"

namespace kdbench {

bool has_student(const Experiment& experiment, const MethodSettings& method) {
  return method.student || experiment.student;
}

const ModelSettings& student_of(const Experiment& experiment, const MethodSettings& method) {
  return method.student ? *method.student : experiment.student.value();
}

ModelShapes method_shapes(const Experiment& experiment, const MethodSettings& method,
                          const Task& task) {
  ModelShapes shapes;
  shapes.student = resolve_config(student_of(experiment, method), task,
                                  experiment.train_of(task.name, method).dropout);
  if (experiment.teacher) {
    shapes.teacher = resolve_config(experiment.teacher->model, task, std::nullopt);
  }
  shapes.outputs = task.classes();
  shapes.max_seq_length = experiment.max_seq_length_of(task.name);
  return shapes;
}

}  // namespace kdbench
