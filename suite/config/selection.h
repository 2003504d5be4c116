// SPDX-License-Identifier: MIT
// Which of an experiment's runs are wanted; an empty list stands for all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "suite/config/experiment.h"

namespace kdbench {

struct Selection {
  std::vector<std::string> tasks;
  std::vector<std::string> methods;  // labels; a grid's label stands for all its points
  std::vector<int64_t> seeds;
};

// Throws a user error that lists what the experiment does not have; seeds are those of its students
// (kAll) or of its teachers.
void check_selection(const Selection& selection, const Experiment& experiment,
                     ExperimentPart part = ExperimentPart::kAll);

// The experiment's own, in its order, as far as they are wanted.
std::vector<std::string> selected_tasks(const Selection& selection, const Experiment& experiment);
std::vector<const MethodSettings*> selected_methods(const Selection& selection,
                                                    const Experiment& experiment);
// Seeds of one method's runs on a task.
std::vector<int64_t> selected_seeds(const Selection& selection, const Experiment& experiment,
                                    const std::string& task, const MethodSettings& method);
// Seeds of the teachers of a task: one teacher, or one for each seed of the students.
std::vector<int64_t> teacher_seeds(const Selection& selection, const Experiment& experiment,
                                   const std::string& task);
// Whose teacher, and whose assistant, a student of this seed has.
int64_t teacher_seed(const Experiment& experiment, const std::string& task, int64_t student_seed);
int64_t assistant_seed(const Experiment& experiment, const std::string& task, int64_t student_seed);

}  // namespace kdbench
