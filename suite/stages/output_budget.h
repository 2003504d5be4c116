// SPDX-License-Identifier: MIT
// How much of the teachers may be stored. The outputs lie on the disk once, and in the memory of
// every host, except for hidden states, which stay on the disk; teacher_outputs = "auto" stores
// what fits, and lets the teacher run beside the student otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "methods/method.h"
#include "suite/stages/student_request.h"

namespace kdbench {

// What a host holds in memory, once, of the store that a method needs on `rows` rows: row ids,
// logits, and the [CLS] states it asks for. 0 when it needs none.
int64_t teacher_outputs_bytes(int64_t rows, const TeacherNeeds& needs, const ModelShapes& shapes);
// The store on the disk, with hidden states. 0 when none is needed.
int64_t teacher_store_bytes(const FeatureSplit& rows, const TeacherNeeds& needs,
                            const ModelShapes& shapes);

// Bytes: half of what is free, on the disk, and in a host's memory.
struct OutputBudget {
  int64_t disk = 0;    // for the stores of all tasks and teachers that are still to be made
  int64_t memory = 0;  // of one copy, for the task at work
};
// `copies`: of what is read, in a host's memory (HostRanks::copies).
OutputBudget output_budget(int64_t free_disk, int64_t available_memory, int copies);
// The same on this machine, with results in `out`.
OutputBudget output_budget(const std::filesystem::path& out, int copies);

// Labels of the methods that say "auto" and whose teacher runs beside the student, because what
// they and the stored methods before them take does not fit; a store that is in `out` already takes
// no more of the disk. The stores to be made are taken from budget.disk. `teacher_rows`: of the
// teacher's tokenizer. Local; reads weight files.
std::vector<std::string> methods_online(const Experiment& experiment, const Task& task,
                                        const Features& teacher_rows,
                                        const std::filesystem::path& out, OutputBudget& budget);

// These methods say "online" from now on.
void set_online(Experiment& experiment, const std::vector<std::string>& labels);

}  // namespace kdbench
