// SPDX-License-Identifier: MIT
// kdbench_bench: starts MPI and the threads as kdbench does, writes commit, build and machine into
// the results' context, and lets rank 0 report.
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "suite/machine/device.h"
#include "suite/machine/kept_heap.h"
#include "suite/machine/provenance.h"
#include "suite/verbs/session.h"
#include "tests/bench/measure.h"

namespace kdbench {
namespace {

// What runs without a filter: not the tiny sizes of the smoke test, nor what takes minutes.
constexpr const char* kDefaultFilter = "--benchmark_filter=-/small|/bert_base";

class SilentReporter : public benchmark::BenchmarkReporter {
 public:
  SilentReporter() {
    SetOutputStream(&nowhere_);
    SetErrorStream(&nowhere_);
  }
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}

 private:
  std::ostream nowhere_{nullptr};
};

// {"build": {"git": {"commit": ...}}} becomes the key "build/git/commit".
void add_context(const nlohmann::json& facts) {
  const nlohmann::json flat = facts.flatten();
  for (const auto& [path, value] : flat.items()) {
    benchmark::AddCustomContext(path.substr(1),
                                value.is_string() ? value.get<std::string>() : value.dump());
  }
}

// Google Benchmark's arguments; of equal ones the last counts.
std::vector<std::string> benchmark_arguments(const std::string& program,
                                             const std::vector<std::string>& given,
                                             const Control& control) {
  std::vector<std::string> arguments{program, kDefaultFilter, "--benchmark_counters_tabular=true"};
  arguments.insert(arguments.end(), given.begin(), given.end());
  // Each rank would shuffle in another order.
  if (control.size() > 1) arguments.push_back("--benchmark_enable_random_interleaving=false");
  if (!control.root()) arguments.push_back("--benchmark_out=");
  return arguments;
}

int run_benchmarks(const Control& control, const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (count > 1) {
    if (control.root()) benchmark::ReportUnrecognizedArguments(count, pointers.data());
    return static_cast<int>(ExitCode::kUserInput);
  }
  SilentReporter silent;
  const size_t found = benchmark::RunSpecifiedBenchmarks(control.root() ? nullptr : &silent);
  benchmark::Shutdown();
  return static_cast<int>(found > 0 ? ExitCode::kDone : ExitCode::kUserInput);
}

int run(int argc, char** argv, const Control& control) {
  CLI::App app("kdbench_bench: the parts of kdbench beside what the machine can do",
               "kdbench_bench");
  app.allow_extras();
  app.footer(
      "All options of Google Benchmark are taken too, among them\n"
      "  --benchmark_filter=REGEX  (with a leading '-': all but these), --benchmark_list_tests,\n"
      "  --benchmark_repetitions=N, --benchmark_format=json, --benchmark_out=FILE");
  std::string device_name = "cpu";
  add_device_option(app, device_name);
  int threads = 0;
  app.add_option("--threads", threads, "per rank; 0: this rank's part of the host's cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& leave) {  // also --help
    if (control.root()) app.exit(leave, std::cout, std::cerr);
    return static_cast<int>(leave.get_exit_code() == 0 ? ExitCode::kDone : ExitCode::kUserInput);
  }
  threads = threads_per_rank(control, threads);
  at::set_num_threads(threads);
  const at::Device device = choose_device(control, device_name);
  set_world(control, device);
  const KeptHeap heap;
  add_context(
      {{"build", build_provenance()}, {"system", system_provenance(control, threads, device)}});
  return run_benchmarks(control, benchmark_arguments(argv[0], app.remaining(), control));
}

}  // namespace
}  // namespace kdbench

int main(int argc, char** argv) {
  const kdbench::MpiSession session(&argc, &argv);
  const kdbench::Control control(MPI_COMM_WORLD);
  try {
    return kdbench::run(argc, argv, control);
  } catch (const kdbench::Error& error) {
    control.abort(error.what(), static_cast<int>(error.code()));
  } catch (const std::exception& error) {
    control.abort(error.what(), static_cast<int>(kdbench::ExitCode::kMachine));
  }
}
