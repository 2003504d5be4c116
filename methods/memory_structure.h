// SPDX-License-Identifier: MIT
// Structure of rows against a memory of K centroids (FSD's G): how far each flattened row lies from
// each centroid of its own model's memory, and how alike the two memories are. All follows from the
// products <f_i, M_k> and the norms, so that no flattened row is ever padded to its full width.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "methods/method.h"

namespace kdbench {

// This share's parts of the values; `total` has their gradients.
struct MemoryLoss {
  at::Tensor total;  // gamma distance + (1 - gamma) cosine + memory
  double distance = 0.0, cosine = 0.0, memory = 0.0;
};

// B rows of the global batch, K centroids; M_s, M_t (K, P H) with each model's own H.
//   distance  1/(B K) sum_ik (D_s - D_t)^2, D_ik = |f_i - M_k|
//   cosine    the same with C_ik = <f_i, M_k> / (|f_i| |M_k|), norms at least 1e-8
//   memory    cka_loss(CKA(M_s, M_t)) over the K centroids; each share counts its value by its rows
// At distance 0 the root's slope is taken as 0.
class MemoryStructure {
 public:
  // `teacher` M_t, which does not change; `gamma` in [0, 1].
  MemoryStructure(const at::Tensor& teacher, double gamma);

  // student (T, Hs) and teacher (T, Ht): states of this share's rows, in any strides, of at most P
  // tokens each; offsets (b + 1) int64, CPU; memory: M_s. Gradients flow to `student` and `memory`;
  // the memory's is this share's part of the sum over ranks. Collective: each rank multiplies its
  // own columns of the memory, whatever its rows.
  MemoryLoss loss(const at::Tensor& student, const at::Tensor& teacher, const at::Tensor& offsets,
                  int64_t global_rows, const at::Tensor& memory, GlobalBatch& ranks) const;

 private:
  at::Tensor teacher_;
  at::Tensor gram_;  // (K, K): M_t M_t^T
  double gamma_;
};

}  // namespace kdbench
