// SPDX-License-Identifier: MIT
#pragma once

#include "methods/models/architecture.h"

namespace kdbench {

Architecture bert_entry();

}  // namespace kdbench
