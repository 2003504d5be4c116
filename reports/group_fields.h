// SPDX-License-Identifier: MIT
// The columns that tables of run groups share.
#pragma once

#include <string>
#include <vector>

#include "reports/fields.h"
#include "reports/run_group.h"

namespace kdbench {

// Some student's teacher learned beside it.
bool any_teacher_beside(const std::vector<RunGroup>& groups);
// "n", for people with what failed or was stopped, for programs in columns of their own.
std::vector<Field<RunGroup>> count_fields();
// Mean (sd) of every metric that one of `groups` has; then those of teachers that learned beside
// their students, after the last epoch.
void add_metrics(std::vector<Field<RunGroup>>& fields, const std::vector<RunGroup>& groups);
// The mean of the numbers at a path of run.json.
Field<RunGroup> mean_field(Column column, const std::string& path);
Field<RunGroup> core_seconds_field();

}  // namespace kdbench
