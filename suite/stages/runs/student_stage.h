// SPDX-License-Identifier: MIT
// The last stage, "run": one student.
#pragma once

#include <memory>
#include <string>

#include "suite/stages/rows/stage_context.h"
#include "suite/stages/runs/run_stage.h"
#include "suite/stages/sources/source.h"

namespace kdbench {

class StudentStage : public RunStage {
 public:
  explicit StudentStage(Learner own);

 protected:
  nlohmann::json find_inputs(const Workspace& workspace) const override;
  std::string stem() const override;
};

// The run of a method's student with this seed. `rows`: of the task; `learned`: what it learns
// from. Local.
StudentStage& student_stage(StageContext& context, const ResolvedMethod& method, int64_t seed,
                            FeaturesStage& rows, const TrainingRows& learned,
                            std::shared_ptr<const Source> source);

}  // namespace kdbench
