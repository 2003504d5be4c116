// SPDX-License-Identifier: MIT
// `kdbench report` on the runs of a large grid: finding and reading the records, all tables, and
// writing them. Every rank makes a report of its own.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <string>

#include "reports/comparison.h"
#include "reports/report.h"
#include "suite/config/experiment.h"
#include "suite/machine/provenance.h"
#include "tests/bench/measure.h"
#include "tests/reports/made_up_run.h"
#include "tests/support/grid_experiment.h"
#include "tests/support/temp_folder.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::TempFolder;

enum class Layout {
  kOwnMethod,        // a record holds what concerns its run
  kWholeExperiment,  // schema_version 1: every record holds all methods
};

json scores_of(const Task& task, int64_t number) {
  json scores;
  for (const Metric metric : task.metrics) {
    scores[metric_name(metric)] = static_cast<double>(number * 7919 % 1000) * 1e-3;
  }
  return {{task.dev_splits().front(), scores}};
}

// Everything that the student's result depends on, as far as its names and sizes go.
json inputs_of(const Experiment& experiment, const Task& task, const MethodSettings& method,
               int64_t seed) {
  json inputs{{"version", 2},
              {"task", task.name},
              {"method", method.name},
              {"label", method.label},
              {"options", to_json(method.options_of(task.name))},
              {"train", to_json(experiment.train_of(task.name, method))},
              {"student", to_json(*experiment.student)},
              {"features", "0123456789abcdef"},
              {"teacher", "fedcba9876543210"},
              {"seed", seed}};
  inputs["train"].erase("seeds");
  return inputs;
}

// The runs of an experiment, tasks and methods in turn, then the next seed.
class Records {
 public:
  Records(const Experiment& experiment, Layout layout, json system)
      : experiment_(experiment), system_(std::move(system)) {
    if (layout == Layout::kWholeExperiment) whole_ = experiment.to_json();
  }

  json make(int64_t number) const {
    const auto methods = static_cast<int64_t>(experiment_.methods.size());
    const auto tasks = static_cast<int64_t>(experiment_.data.tasks.size());
    const auto& method = experiment_.methods[static_cast<size_t>(number % methods)];
    const Task& task =
        find_task(experiment_.data.tasks[static_cast<size_t>(number / methods % tasks)]);
    const int64_t seed = 1 + number / (methods * tasks);
    json run = testing::made_up_run(task.name, method.label, static_cast<int>(seed),
                                    scores_of(task, number), 10);
    run["schema_version"] = whole_.is_null() ? 2 : 1;
    run["experiment"] = experiment_.name;
    run["method"] = method.name;
    run["grid"] = {{"label", method.grid}, {"point", method.grid_point}};
    run["config"] = whole_.is_null() ? run_config(experiment_, task, &method) : whole_;
    run["inputs"] = inputs_of(experiment_, task, method, seed);
    run["build"] = build_provenance();
    run["system"] = system_;
    return run;
  }

 private:
  const Experiment& experiment_;
  json system_, whole_;
};

// Returns the bytes of all records.
double write_runs(const TempFolder& folder, int64_t count, Layout layout) {
  const Experiment experiment =
      load_experiment(folder.write("grid.toml", testing::kGridExperiment), {});
  const Records records(experiment, layout, system_provenance(world(), 1));
  double bytes = 0.0;
  for (int64_t number = 0; number < count; ++number) {
    const std::string text = records.make(number).dump(2);
    folder.write(fmt::format("results/grid/run-{}/run.json", number), text);
    bytes += static_cast<double>(text.size());
  }
  return bytes;
}

void report_runs(benchmark::State& state, int64_t count, Layout layout) {
  const TempFolder folder;
  const double bytes = write_runs(folder, count, layout);
  malloc_trim(0);  // what others freed must not be taken again unseen
  reset_peak_memory();
  const int64_t before = peak_memory_bytes();
  const Seconds seconds = measure(state, [&] {
    const auto runs = read_runs({folder / "results"});
    write_report(runs, folder / "report", {"kdbench", "kdbench report", "2026-01-01T00:00:00Z"});
    benchmark::DoNotOptimize(write_summary(runs));
  });
  state.counters["runs_per_s"] =
      static_cast<double>(world().size()) * static_cast<double>(count) / seconds.work;
  state.counters["record_kB"] = bytes * 1e-3 / static_cast<double>(count);
  state.counters["memory_MB"] = static_cast<double>(peak_memory_bytes() - before) * 1e-6;
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, int64_t count, Layout layout) {
    benchmark::RegisterBenchmark(("report_runs/" + name).c_str(), report_runs, count, layout)
        ->Unit(benchmark::kMillisecond)
        ->UseManualTime();
  };
  add("1000", 1000, Layout::kOwnMethod);
  add("whole_experiment/100", 100, Layout::kWholeExperiment);
  add("small", 20, Layout::kOwnMethod);
  add("whole_experiment/small", 5, Layout::kWholeExperiment);
  return true;
}();

}  // namespace
}  // namespace kdbench
