// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <numeric>

#include "methods/models/model.h"
#include "reports/table.h"
#include "suite/machine/collective_speed.h"
#include "suite/machine/device.h"
#include "suite/training/gradient_reducer.h"
#include "suite/training/token_tables.h"
#include "suite/verbs/registry.h"
#include "suite/verbs/session.h"

namespace kdbench {
namespace {

using Kind = CollectiveOp::Kind;

constexpr int64_t kFloat = sizeof(float);

struct CommOptions {
  int64_t min_bytes = 1 << 10, max_bytes = 64 << 20;
  std::string device = "auto", model;
  int64_t tokens = 512;
  MeasuredCalls calls;
};

// A row of the table.
struct Measured {
  std::string what;
  CollectiveSpeed speed;
};

// From the smallest to the largest in steps of four, the largest too.
std::vector<int64_t> swept_bytes(const CommOptions& options) {
  std::vector<int64_t> sizes;
  for (int64_t bytes = options.min_bytes; bytes < options.max_bytes; bytes *= 4)
    sizes.push_back(bytes);
  sizes.push_back(options.max_bytes);
  return sizes;
}

class Sweep {
 public:
  Sweep(const CommOptions& options, const Control& control)
      : options_(options),
        control_(control),
        device_(choose_device(control, options.device)),
        collectives_(make_collectives(control, device_)) {}

  std::vector<Measured> measure() {
    for (const Kind kind :
         {Kind::kAllreduceSum, Kind::kBroadcast, Kind::kAllgather, Kind::kReduceScatterSum}) {
      for (const int64_t bytes : swept_bytes(options_)) {
        const int64_t parts = kind == Kind::kAllgather ? control_.size() : 1;
        add("", kind, std::max<int64_t>(1, bytes / kFloat / parts));
      }
    }
    if (!options_.model.empty()) add_model();
    return std::move(measured_);
  }

 private:
  void add(const std::string& what, Kind kind, int64_t floats) {
    measured_.push_back(
        {what, measure_collective(control_, *collectives_, kind, floats, device_, options_.calls)});
  }

  // Each size of bucket that the model's gradients travel in, then a whole step's, as the trainer
  // brings them together: summed by reduce-scatter, and the moved values by allgather, which are an
  // allreduce; or summed in place, where the ranks of a host share the memory.
  void add_model() {
    ModelSpec spec;
    control_.agree([&] { spec.config = read_model_config(options_.model); });
    spec.device = at::kMeta;
    const ParameterLayout layout = make_model(spec)->parameters().layout();
    int64_t last = 0, floats = 0;
    for (const auto& bucket : gradient_buckets(layout, device_.type())) {
      if (bucket.size() != last) {
        for (const Kind kind : {Kind::kAllreduceSum, Kind::kReduceScatterSum})
          add("bucket of gradients", kind, bucket.size());
      }
      last = bucket.size();
      floats += bucket.size();
    }
    std::vector<int64_t> tokens;
    for (const auto& table : token_tables(layout)) {
      tokens.resize(static_cast<size_t>(std::min(options_.tokens, table.rows)));
      floats += static_cast<int64_t>(tokens.size()) * table.width;
    }
    std::iota(tokens.begin(), tokens.end(), 0);
    Parameters parameters(layout, device_);
    const auto reducer = make_gradient_reducer(parameters, control_, *collectives_, {});
    const bool in_place = reducer->part().one_copy;
    const std::string place = in_place ? ", in shared memory" : "";
    const auto add_step = [&](const std::string& what, Kind kind, const auto& call) {
      Measured step{what, {}};
      step.speed.operation = operation_name(kind);
      step.speed.bytes = kFloat * floats;
      step.speed.times = time_calls(control_, device_, options_.calls, call);
      measured_.push_back(step);
    };
    add_step("gradients of a step" + place, Kind::kReduceScatterSum,
             [&] { reducer->reduce(tokens); });
    if (!in_place) add_step("values of a step", Kind::kAllgather, [&] { reducer->share_values(); });
  }

  const CommOptions& options_;
  const Control& control_;
  const at::Device device_;
  std::unique_ptr<Collectives> collectives_;
  std::vector<Measured> measured_;
};

Table table_of(const std::vector<Measured>& measured, int ranks) {
  const NumberFormat microseconds{.digits = 1, .scale = 1e-6}, gigabytes{.digits = 3, .scale = 1e9};
  Table table;
  table.header = {"operation",
                  "of",
                  "bytes",
                  {"median us", "median_s", microseconds},
                  {"p95 us", "p95_s", microseconds},
                  {"algbw GB/s", "algbw_bytes_per_s", gigabytes},
                  {"busbw GB/s", "busbw_bytes_per_s", gigabytes},
                  "wrong"};
  for (const auto& [what, speed] : measured) {
    Cell algbw, busbw;  // of one rank none: nothing moves
    if (ranks > 1) {
      algbw = speed.algbw();
      busbw = speed.algbw() * bus_factor(speed.operation, ranks);
    }
    table.rows.push_back({speed.operation, what, integer_cell(speed.bytes), speed.times.median,
                          speed.times.p95, algbw, busbw, integer_cell(speed.wrong)});
  }
  table.notes = {
      "Times of each call's slowest rank. algbw: bytes of the whole tensor over the median; busbw: "
      "algbw x 2 (n - 1) / n",
      "(allreduce), (n - 1) / n (allgather, reduce-scatter), 1 (broadcast), n ranks. wrong: floats "
      "of all ranks "
      "that are not what they must be."};
  return table;
}

ExitCode measure_comm(const CommOptions& options, const VerbContext& context) {
  context.control.on_root([&] {
    if (options.min_bytes > options.max_bytes)
      throw_user_error("--min-bytes", "is more than --max-bytes");
  });
  const int ranks = context.control.size();
  const auto measured = Sweep(options, context.control).measure();
  int64_t wrong = 0;
  for (const auto& [what, speed] : measured) wrong += speed.wrong;
  context.control.on_root([&] {
    const Table table = table_of(measured, ranks);
    context.answer.text(write_console(table));
    context.answer.data["ranks"] = ranks;
    context.answer.data["rows"] = write_json(table).at("rows");
  });
  return wrong == 0 ? ExitCode::kDone : ExitCode::kMachine;
}

}  // namespace

Verb comm_verb() {
  return {"comm",
          "Allreduce, broadcast, allgather, reduce-scatter: time, bandwidth, and whether they are "
          "right",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<CommOptions>();
            add_device_option(app, options->device);
            app.add_option("--min-bytes", options->min_bytes, "smallest tensor")
                ->check(CLI::Range(int64_t{4}, int64_t{1} << 40));
            app.add_option("--max-bytes", options->max_bytes, "largest tensor")
                ->check(CLI::Range(int64_t{4}, int64_t{1} << 40));
            app.add_option("--model", options->model,
                           "Hugging Face folder: also what its gradients travel in");
            app.add_option("--tokens", options->tokens,
                           "distinct tokens of a step, with --model: rows of its word embeddings")
                ->check(CLI::PositiveNumber);
            app.add_option("--calls", options->calls.counted, "calls that are counted")
                ->check(CLI::PositiveNumber);
            return
                [options](const VerbContext& context) { return measure_comm(*options, context); };
          }};
}

}  // namespace kdbench
