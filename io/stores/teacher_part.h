// SPDX-License-Identifier: MIT
// What the readers of a teacher's outputs share: which of the layers that are there are wanted, and
// how the outputs get to the other ranks of the host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/base/host_message.h"
#include "io/stores/teacher_store.h"

namespace kdbench {

// Places of `layers` among `held`. One that is missing is a user error that names the split and the
// kind of `states` ("[CLS]", "hidden").
std::vector<int64_t> columns_of(const std::vector<int64_t>& layers,
                                const std::vector<int64_t>& held, const std::string& split,
                                const std::string& states);

// They are 0, 1, ... `count` - 1: all that is there, as it is there.
bool all_in_order(const std::vector<int64_t>& columns, int64_t count);

// Its [CLS] states are not in memory.
bool leaves_cls_on_disk(const TeacherSplit& split);

// All that is in memory.
void travel(HostMessage& part, TeacherSplit& split);

}  // namespace kdbench
