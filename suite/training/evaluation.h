// SPDX-License-Identifier: MIT
// Forward passes over a whole split, sharded over the ranks without duplicates: each row id is seen
// exactly once, also when rows do not divide or are fewer than ranks.
#pragma once

#include <functional>
#include <string>

#include "io/batches/dataset.h"
#include "methods/models/model.h"
#include "suite/ranks/control.h"
#include "suite/training/metrics.h"
#include "suite/training/progress.h"

namespace kdbench {

// Calls `visit` with this rank's rows on `device`, slice by slice, without gradients. Local: ranks
// do not wait for each other.
void visit_share(const Dataset& data, const Control& control, at::Device device,
                 const std::function<void(const Batch&)>& visit);

// Calls `visit` with the outputs of this rank's rows, slice by slice, in evaluation mode without
// gradients. Local: ranks do not wait for each other.
void forward_share(Model& model, const Dataset& data, const Control& control,
                   const ForwardMode& mode,
                   const std::function<void(const Batch&, const Outputs&)>& visit);
// The same over `rows` of the data alone, in their order.
void forward_share(Model& model, const Dataset& data, const std::vector<int64_t>& rows,
                   const Control& control, const ForwardMode& mode,
                   const std::function<void(const Batch&, const Outputs&)>& visit);

// Appends a tensor's values in row-major order, as float32, wherever it lies.
void append_values(std::vector<float>& to, const at::Tensor& tensor);

// One forward pass of a few rows without a result: the first one of a process starts threads and
// fills caches, which says nothing about the model's speed. Local.
void warm_up(Model& model, const Dataset& data);

// Predictions of all rows on every rank, ascending row id. Collective. Throws Error(kRunFailed, on
// every rank) at `where` when a logit is not finite: its argmax would look like a class. A row seen
// twice or not at all is a std::logic_error.
// `seen` is told of this rank's rows as they are done.
Predictions predict(Model& model, const Dataset& data, const Control& control,
                    const std::string& where = "prediction", const RowsSeen& seen = nullptr);

}  // namespace kdbench
