// SPDX-License-Identifier: MIT
// The architectures, one file each; their list is in registry.cpp.
#pragma once

#include "methods/models/architecture.h"

namespace kdbench {

Architecture bert_entry();
Architecture bilstm_entry();
Architecture gpt2_entry();
Architecture masked_bert_entry();
Architecture roberta_entry();
Architecture transfo_xl_entry();

}  // namespace kdbench
