// SPDX-License-Identifier: MIT
#include "suite/models/model_checks.h"

#include <algorithm>

#include "suite/models/model_setup.h"

namespace kdbench {

void ModelChecks::add(const ModelSettings& model, const ModelSettings* teacher, bool frozen,
                      const Task& task) {
  nlohmann::json key{to_json(model), frozen};
  if (teacher && model.init_from == "teacher") key.push_back(to_json(*teacher));
  const auto [place, is_new] = places_.emplace(
      key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), uses_.size());
  if (is_new) {
    uses_.push_back({model, teacher ? std::optional(*teacher) : std::nullopt, frozen, {}});
  }
  auto& tasks = uses_[place->second].tasks;
  if (std::find(tasks.begin(), tasks.end(), &task) == tasks.end()) tasks.push_back(&task);
}

void ModelChecks::run(Problems& problems) const {
  for (const auto& use : uses_) {
    problems.collect([&] {
      check_model(use.model, use.teacher ? &*use.teacher : nullptr, use.frozen, use.tasks);
    });
  }
}

}  // namespace kdbench
