// SPDX-License-Identifier: MIT
// How much of the teachers may be stored. The outputs lie on the disk once, and in the memory of
// every host, except
// for hidden states, which stay on the disk; teacher_outputs = "auto" stores what fits, and lets
// the teacher run beside the student otherwise.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "suite/config/resolved_method.h"
#include "suite/stages/rows/features.h"

namespace kdbench {

// Bytes: half of what is free, on the disk, and in a host's memory.
struct OutputBudget {
  int64_t disk = 0;    // for the stores of all tasks and teachers that are still to be made
  int64_t memory = 0;  // of one copy, for the task at work
};
// `copies`: of what is read, in a host's memory (HostRanks::copies).
OutputBudget output_budget(int64_t free_disk, int64_t available_memory, int copies);
// The same on this machine, with results in `out`.
OutputBudget output_budget(const std::filesystem::path& out, int copies);

// What all methods of a task that learn from its transfer set of a kind, or (empty) from its
// training rows, take from the teacher's stored outputs: it runs once.
TeacherNeeds shared_needs(const std::vector<ResolvedMethod>& methods,
                          const std::string& transfer = "");

// Rows as the teacher's tokenizer cuts them.
struct StoredRows {
  std::string features;  // the hash of their stage
  std::shared_ptr<const FeatureSplit> rows;
};

// What stores of a task are made of: the rows that methods learn from, by the kind of the transfer
// set that they are (empty: the training rows); the teacher that a student of some seed learns from
// (the hash of its stage).
struct StoreSite {
  std::map<std::string, StoredRows> rows;
  std::function<std::string(int64_t)> teacher_of;
  std::filesystem::path out;
};

// Labels of the methods that say "auto" and whose teacher runs beside the student, because what
// they and the stored methods before them take does not fit; a store that is in site.out already
// takes no more of the disk. The stores to be made are taken from budget.disk. Local.
std::vector<std::string> methods_online(const std::vector<ResolvedMethod>& methods,
                                        const StoreSite& site, OutputBudget& budget);

}  // namespace kdbench
