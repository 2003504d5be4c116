// SPDX-License-Identifier: MIT
#include "suite/training/gradient_reducer.h"

#include "io/base/error.h"
#include "suite/training/host_reducer.h"
#include "suite/training/travel_reducer.h"

namespace kdbench {
namespace {

class NothingToReduce : public GradientReducer {
 public:
  RankPart part() const override { return {}; }
  void reduce(const std::vector<int64_t>&) override {}
  void share_values() override {}
};

}  // namespace

std::unique_ptr<GradientReducer> make_gradient_reducer(
    Parameters& parameters, const Control& control, Collectives& collectives,
    const GradientTravel& travel, const std::function<void(const std::string&)>& obstacle) {
  if (collectives.size() == 1) return std::make_unique<NothingToReduce>();
  if (parameters.device().is_cpu() && share_host(control)) {
    try {
      return std::make_unique<HostReducer>(parameters, control);
    } catch (const Error& error) {  // on every rank
      if (obstacle) obstacle(error.message());
    }
  }
  return std::make_unique<TravelReducer>(parameters, collectives, travel);
}

}  // namespace kdbench
