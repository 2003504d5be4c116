// SPDX-License-Identifier: MIT
// The stages of an experiment, each once, with what each needs standing before it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "suite/graph/stage.h"

namespace kdbench {

class Graph {
 public:
  // The stage of this identity (of shared stages the key's hash); `create` is called when there is
  // none yet, and may add what it needs.
  template <typename S>
  S& add(const std::string& identity, const std::function<std::unique_ptr<S>()>& create) {
    if (const auto found = by_identity_.find(identity); found != by_identity_.end()) {
      return dynamic_cast<S&>(*found->second);
    }
    std::unique_ptr<S> made = create();
    S& stage = *made;
    stages_.push_back(std::move(made));
    by_identity_[identity] = &stage;
    return stage;
  }

  const std::vector<std::unique_ptr<Stage>>& stages() const { return stages_; }

 private:
  std::vector<std::unique_ptr<Stage>> stages_;
  std::map<std::string, Stage*> by_identity_;
};

}  // namespace kdbench
