// SPDX-License-Identifier: MIT
// The models that an experiment uses, each checked once however many of its runs use it: a cut or
// missing file of weights is found before hours of training.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/tasks/task.h"
#include "suite/models/model_settings.h"

namespace kdbench {

class ModelChecks {
 public:
  // `teacher`: what init_from = "teacher" refers to, or null; `frozen`: it is used without
  // training; `language`: a language model is wanted, not one that tells classes apart.
  void add(const ModelSettings& model, const ModelSettings* teacher, bool frozen, const Task& task,
           bool language = false);

  // Reads the weights and vocabularies of all of them. Local.
  void run(Problems& problems) const;

 private:
  struct Use {
    ModelSettings model;
    std::optional<ModelSettings> teacher;
    bool frozen = false, language = false;
    std::vector<const Task*> tasks;
  };
  std::map<std::string, size_t> places_;
  std::vector<Use> uses_;  // in the order in which they were added
};

// Finds what would hinder a model on any of `tasks`: a vocabulary, or weights (read once, in full),
// that cannot be read or do not fit. `teacher`, `frozen`, `language`: as above; a frozen model's
// classifier must be in the checkpoint, with the task's labels unless `any_labels`. Takes no memory
// for the model. Local; throws a user error.
void check_model(const ModelSettings& settings, const ModelSettings* teacher, bool frozen,
                 const std::vector<const Task*>& tasks, bool any_labels = false,
                 bool language = false);

}  // namespace kdbench
