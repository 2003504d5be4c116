// SPDX-License-Identifier: MIT
// A student, a batch of rows, a teacher's outputs that no teacher computed, and a method: whole
// steps of the trainer, again and again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/ranks/collectives.h"
#include "tests/bench/workload.h"

namespace kdbench {

struct StepSizes {
  const char* name;
  Shape student, teacher;
};
inline constexpr StepSizes kRealStep{"student_3x384", kStudent3x384, kMiniLm6x384};
inline constexpr StepSizes kSmallStep{"small", kSmall, {"small_teacher", 4, 64, 2, 128, 1000}};

class TrainingStep {
 public:
  // `changed`: options that differ from the method's defaults.
  TrainingStep(const std::string& method, const StepSizes& sizes, const LengthMix& mix,
               std::map<std::string, OptionValue> changed = {});

  // Mean seconds of a step on this rank. Collective.
  double run();
  int64_t rows() const { return data_->rows(); }

 private:
  std::unique_ptr<Method> method_;
  std::unique_ptr<Collectives> collectives_;
  std::unique_ptr<Dataset> data_;
  std::unique_ptr<Model> student_, teacher_;
  Models models_;
  std::optional<FeatureMemory> memory_;
};

}  // namespace kdbench
