// SPDX-License-Identifier: MIT
#include "suite/training/learners.h"

#include "io/base/error.h"
#include "suite/training/gathered_parts.h"
#include "suite/training/step_work.h"
#include "suite/training/token_tables.h"

namespace kdbench {
namespace {

GradientTravel travel_of(const Parameters& parameters, const TrainSettings& settings) {
  GradientTravel travel;
  travel.type = type_of(settings.reduce_dtype);
  travel.during_backward = !parameters.device().is_cpu();
  return travel;
}

OptimizerSettings optimizer_of(const TrainSettings& settings) {
  OptimizerSettings optimizer;
  optimizer.kind = settings.optimizer;
  optimizer.weight_decay = settings.weight_decay;
  optimizer.clip = settings.clip;
  return optimizer;
}

double learning_rate_of(const Phase& phase, const std::string& role,
                        const TrainSettings& settings) {
  const auto overrides = phase.overrides.find(role);
  if (overrides == phase.overrides.end()) return settings.learning_rate;
  return overrides->second.learning_rate.value_or(settings.learning_rate);
}

}  // namespace

Learners::Learners(const Phase& phase, int64_t steps, const Models& models,
                   const TrainSettings& settings, const Control& control, Collectives& collectives,
                   const std::function<void(const std::string&)>& obstacle) {
  for (const auto& update : phase.updates) {
    const auto [entry, is_new] = learners_.try_emplace(update.model);
    if (!is_new) continue;
    LearningModel& learner = entry->second;
    learner.model = models.at(update.model);
    Parameters& parameters = learner.model->parameters();
    learner.reducer = make_gradient_reducer(parameters, control, collectives,
                                            travel_of(parameters, settings), obstacle);
    learner.optimizer = make_optimizer(optimizer_of(settings), parameters, learner.reducer->part());
    learner.schedule = {settings.schedule, learning_rate_of(phase, update.model, settings),
                        settings.warmup, steps};
    learner.scale = LossScale(type_of(settings.precision));
    parameters.zero_gradients();
  }
}

void Learners::settle(const Dataset& data, const std::vector<int64_t>& rows) {
  tokens_.clear();
  for (auto& [role, learner] : learners_) {
    const Dataset& read = rows_of(data, role);
    const auto [tokens, is_new] = tokens_.try_emplace(&read);
    if (is_new) tokens->second = distinct_tokens(read, rows);
    learner.tokens = &tokens->second;
    learner.optimizer->settle(learner.model->parameters(), tokens->second);
    learner.reducer->share_settled();
  }
}

void Learners::settle_all() {
  for (auto& [role, learner] : learners_) {
    learner.optimizer->settle(learner.model->parameters());
    learner.reducer->share_settled();
  }
}

std::map<std::string, LearnerState> Learners::state(Collectives& collectives) {
  std::map<std::string, LearnerState> states;
  for (auto& [role, learner] : learners_) {
    LearnerState& state = states[role];
    state.moments = learner.optimizer->moments();
    for (const auto& moment : state.moments) {
      gather_parts(moment, learner.model->parameters().layout(), learner.reducer->part(),
                   collectives);
    }
    state.steps = learner.optimizer->steps();
    state.scale = learner.scale.state();
  }
  return states;
}

void Learners::set_state(const std::map<std::string, LearnerState>& states) {
  const at::NoGradGuard no_grad;
  for (auto& [role, learner] : learners_) {
    const LearnerState& state = states.at(role);
    const std::vector<at::Tensor> moments = learner.optimizer->moments();
    if (moments.size() != state.moments.size())
      throw_user_error("the checkpoint", "is that of another optimizer");
    for (size_t i = 0; i < moments.size(); ++i) moments[i].copy_(state.moments[i]);
    learner.optimizer->set_steps(state.steps);
    learner.scale.set_state(state.scale);
  }
}

}  // namespace kdbench
