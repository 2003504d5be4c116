// SPDX-License-Identifier: MIT
#pragma once

#include "methods/models/architecture.h"

namespace kdbench {

Architecture roberta_entry();

}  // namespace kdbench
