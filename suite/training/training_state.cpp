// SPDX-License-Identifier: MIT
#include "suite/training/training_state.h"

#include <utility>

namespace kdbench {
namespace {

using nlohmann::json;

// The one list of these members.
template <typename Times, typename F>
void for_times(Times& times, F&& f) {
  f("train", times.train);
  f("compute", times.compute);
  f("wait", times.wait);
  f("comm_exposed", times.comm_exposed);
  f("data", times.data);
  f("eval", times.eval);
  f("checkpoint", times.checkpoint);
}

json scores_json(const Scores& scores) {
  return {{"last", scores.last}, {"best", scores.best}, {"best_epoch", scores.best_epoch}};
}

Scores scores_of(const json& numbers) {
  Scores scores;
  numbers.at("last").get_to(scores.last);
  numbers.at("best").get_to(scores.best);
  numbers.at("best_epoch").get_to(scores.best_epoch);
  return scores;
}

json result_json(const TrainingResult& result) {
  json others = json::object(), times = json::object();
  for (const auto& [role, scores] : result.others) others[role] = scores_json(scores);
  for_times(result.times, [&](const char* name, double seconds) { times[name] = seconds; });
  return {{"steps", result.steps},
          {"epochs", result.epochs},
          {"samples", result.samples},
          {"tokens", result.tokens},
          {"model_flops", result.model_flops},
          {"times", times},
          {"student", scores_json(result.student)},
          {"others", others},
          {"counts", result.counts}};
}

TrainingResult result_of(const json& numbers) {
  TrainingResult result;
  numbers.at("steps").get_to(result.steps);
  numbers.at("epochs").get_to(result.epochs);
  numbers.at("samples").get_to(result.samples);
  numbers.at("tokens").get_to(result.tokens);
  numbers.at("model_flops").get_to(result.model_flops);
  for_times(result.times, [&](const char* name, double& seconds) {
    numbers.at("times").at(name).get_to(seconds);
  });
  result.student = scores_of(numbers.at("student"));
  for (const auto& [role, scores] : numbers.at("others").items())
    result.others[role] = scores_of(scores);
  numbers.at("counts").get_to(result.counts);
  return result;
}

// "student/moment/0", ...: a list of tensors.
std::string name_of(const std::string& role, const char* what, size_t number) {
  return role + "/" + what + "/" + std::to_string(number);
}

constexpr const char* kModel = "state";
constexpr const char* kMoment = "moment";
constexpr const char* kBest = "best";

void put(const std::vector<at::Tensor>& list, const std::string& role, const char* what,
         TensorMap& tensors) {
  for (size_t i = 0; i < list.size(); ++i) tensors[name_of(role, what, i)] = list[i];
}

std::vector<at::Tensor> take(const TensorMap& tensors, const std::string& role, const char* what,
                             const json& count) {
  std::vector<at::Tensor> list;
  for (size_t i = 0; i < count.get<size_t>(); ++i)
    list.push_back(tensors.at(name_of(role, what, i)));
  return list;
}

}  // namespace

TensorMap tensors_of(const TrainingState& state) {
  TensorMap tensors;
  for (const auto& [role, model] : state.models) put(model, role, kModel, tensors);
  for (const auto& [role, learner] : state.learners) put(learner.moments, role, kMoment, tensors);
  for (const auto& [role, best] : state.best) put(best.state, role, kBest, tensors);
  return tensors;
}

json numbers_of(const TrainingState& state) {
  json models = json::object(), learners = json::object(), best = json::object();
  for (const auto& [role, model] : state.models) models[role] = model.size();
  for (const auto& [role, learner] : state.learners) {
    learners[role] = {{"moments", learner.moments.size()},
                      {"steps", learner.steps},
                      {"scale", learner.scale.value},
                      {"taken", learner.scale.taken}};
  }
  for (const auto& [role, found] : state.best)
    best[role] = {{"score", found.score}, {"state", found.state.size()}};
  return {{"phase", state.phase},
          {"step", state.step},
          {"models", models},
          {"learners", learners},
          {"best", best},
          {"method", state.method},
          {"result", result_json(state.result)}};
}

TrainingState make_state(const TensorMap& tensors, const json& numbers) {
  TrainingState state;
  numbers.at("phase").get_to(state.phase);
  numbers.at("step").get_to(state.step);
  for (const auto& [role, count] : numbers.at("models").items())
    state.models[role] = take(tensors, role, kModel, count);
  for (const auto& [role, learner] : numbers.at("learners").items()) {
    LearnerState& found = state.learners[role];
    found.moments = take(tensors, role, kMoment, learner.at("moments"));
    learner.at("steps").get_to(found.steps);
    learner.at("scale").get_to(found.scale.value);
    learner.at("taken").get_to(found.scale.taken);
  }
  for (const auto& [role, best] : numbers.at("best").items()) {
    best.at("score").get_to(state.best[role].score);
    state.best[role].state = take(tensors, role, kBest, best.at("state"));
  }
  numbers.at("method").get_to(state.method);
  state.result = result_of(numbers.at("result"));
  return state;
}

}  // namespace kdbench
