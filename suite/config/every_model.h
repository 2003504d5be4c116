// SPDX-License-Identifier: MIT
// All tables of an experiment that describe a model.
#pragma once

#include "suite/config/experiment.h"

namespace kdbench {

// Calls f with the settings of each: of teacher, assistant, students, language model.
template <typename E, typename F>
void for_every_model(E& experiment, const F& f) {
  if (experiment.teacher) f(experiment.teacher->model);
  if (experiment.assistant) f(experiment.assistant->model);
  if (experiment.student) f(*experiment.student);
  for (auto& method : experiment.methods) {
    if (method.student) f(*method.student);
  }
  if (experiment.transfer && experiment.transfer->model) f(experiment.transfer->model->model);
}

}  // namespace kdbench
