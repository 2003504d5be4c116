// SPDX-License-Identifier: MIT
// A user's file with the outputs of a teacher: a teacher store of anybody's, or safetensors.
#pragma once

#include <memory>

#include "io/stores/teacher_store.h"
#include "suite/config/resolved_method.h"
#include "suite/ranks/control.h"

namespace kdbench {

// What `needs` asks for of the file that the method names, on `rows` of the store that `info`
// describes. Throws a user error that says what does not fit. Collective over the host.
std::shared_ptr<const TeacherSplit> read_outputs_file(const ResolvedMethod& method,
                                                      const TeacherNeeds& needs,
                                                      const FeatureStoreInfo& info,
                                                      const FeatureSplit& rows,
                                                      const Control& control);

}  // namespace kdbench
