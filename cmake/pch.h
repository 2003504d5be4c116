// SPDX-License-Identifier: MIT
// The one precompiled header: tensors and their functions. <torch/torch.h> (modules, optimizers,
// data loaders) would cost every file 5 s more just to load; a file that needs more than tensors
// includes that header itself, e.g. <torch/csrc/autograd/custom_function.h>.
#pragma once
#include <torch/types.h>
