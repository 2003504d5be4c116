// SPDX-License-Identifier: MIT
// One step of training: all updates of a global batch, by this rank's share of it.
#pragma once

#include <cstdint>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/machine/section_times.h"
#include "suite/ranks/control.h"
#include "suite/training/learners.h"
#include "suite/training/train_settings.h"
#include "suite/training/training_records.h"

namespace kdbench {

class TrainingStep {
 public:
  // All must outlive it. `result` counts what steps do and where their time goes.
  TrainingStep(const Dataset& data, const TrainSettings& settings, const Control& control,
               at::Device device, TrainingResult& result);

  // Moves the learners by a global batch of these rows of the data; returns a record an update.
  // Collective.
  std::vector<UpdateRecord> take(const Phase& phase, const StepContext& context,
                                 const std::vector<int64_t>& rows, Learners& learners);
  // All of their rows to where steps have moved them. Collective.
  void settle_all(Learners& learners);
  // Waits for what is measured on the device.
  void settle_times() { times_.settle(); }

 private:
  std::vector<Batch> make_slices(const std::vector<int64_t>& rows);
  UpdateRecord update(const Update& update, const StepContext& context,
                      const std::vector<Batch>& slices, LearningModel& learner);
  std::vector<at::Tensor> add_gradients(const Update& update, const StepContext& context,
                                        const std::vector<Batch>& slices, LearningModel& learner,
                                        UpdateRecord& record);
  void wait_for_slower_ranks();
  void move(LearningModel& learner, const std::vector<double>& squares, UpdateRecord& record);
  void count_work(const std::vector<int64_t>& rows, Learners& learners);
  template <typename F>
  void in_section(const char* name, double TrainingTimes::*seconds, F&& f);

  const Dataset& data_;
  const TrainSettings& settings_;
  const Control& control_;
  const at::Device device_;
  SectionTimes times_;
  TrainingResult& result_;
};

}  // namespace kdbench
