// SPDX-License-Identifier: MIT
// The methods, one file each; their list is in registry.cpp.
#pragma once

#include "methods/method.h"

namespace kdbench {

MethodEntry annealing_kd_entry();
MethodEntry d_heavy_entry();
MethodEntry d_lite_entry();
MethodEntry finetune_entry();
MethodEntry fsd_entry();
MethodEntry kd_entry();
MethodEntry pkd_entry();
MethodEntry prokt_entry();
MethodEntry takd_entry();

}  // namespace kdbench
