// SPDX-License-Identifier: MIT
// One step of training: all updates of a global batch, by this rank's share of it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/machine/section_times.h"
#include "suite/ranks/control.h"
#include "suite/training/learners.h"
#include "suite/training/train_settings.h"
#include "suite/training/training_records.h"

namespace kdbench {

// What ranks want beside the step itself: told with the sums of its losses.
struct Requests {
  bool stop = false;  // training is to stop after this step
  bool keep = false;  // its state is to be kept
};

class TrainingStep {
 public:
  // All must outlive it. `result` counts what steps do and where their time goes. `own`: what this
  // rank wants, asked in every step.
  TrainingStep(const Dataset& data, const TrainSettings& settings, const Control& control,
               at::Device device, std::function<Requests()> own, TrainingResult& result);

  // Moves the learners by a global batch of these rows of the data; returns a record an update.
  // Collective.
  std::vector<UpdateRecord> take(const Phase& phase, const StepContext& context,
                                 const std::vector<int64_t>& rows, Learners& learners);
  // What any of the ranks wanted in the last step: the same on all of them.
  const Requests& requests() const { return requests_; }
  // All of their rows to where steps have moved them. Collective.
  void settle_all(Learners& learners);
  // Waits for what is measured on the device.
  void settle_times() { times_.settle(); }

 private:
  std::vector<Batch> make_slices(const std::vector<int64_t>& rows);
  UpdateRecord run_update(const Update& update, const StepContext& context,
                          const std::vector<Batch>& slices, LearningModel& learner);
  std::vector<at::Tensor> add_gradients(const Update& update, const StepContext& context,
                                        const std::vector<Batch>& slices, LearningModel& learner,
                                        UpdateRecord& record);
  void wait_for_slower_ranks();
  void sum_over_ranks(std::vector<double>& sums);
  void move(LearningModel& learner, const std::vector<double>& squares, UpdateRecord& record);
  void count_work(const std::vector<int64_t>& rows, Learners& learners);
  template <typename F>
  void in_section(const char* name, double TrainingTimes::*seconds, F&& f);

  const Dataset& data_;
  const TrainSettings& settings_;
  const Control& control_;
  const at::Device device_;
  const std::function<Requests()> own_;
  Requests requests_;
  SectionTimes times_;
  TrainingResult& result_;
};

}  // namespace kdbench
