// SPDX-License-Identifier: MIT
#include "suite/session.h"

#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <filesystem>

#include "suite/results/provenance.h"

namespace kdbench {

void add_session_options(CLI::App& app, SessionOptions& options) {
  app.add_option("--out", options.out, "folder of the results")->capture_default_str();
  app.add_option("--device", options.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "per rank; 0: this rank's part of the host's cores")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

Session::Session(const SessionOptions& options, const VerbContext& context) {
  context.control.agree([&] {
    if (options.device == "cuda") {
      throw_user_error("--device cuda", "not available yet",
                       "training on GPUs needs the NCCL collectives; use --device cpu");
    }
  });
  const int threads = threads_per_rank(context.control, options.threads);
  at::set_num_threads(threads);
  collectives_ = make_collectives(context.control, at::kCPU);
  workspace_ = std::make_unique<Workspace>(
      Workspace{context.control, *collectives_, at::kCPU, threads,
                std::filesystem::absolute(options.out), context.command});
  workspace_->say(fmt::format("kdbench: {} rank{} x {} thread{}, {} collectives",
                              context.control.size(), context.control.size() == 1 ? "" : "s",
                              threads, threads == 1 ? "" : "s", collectives_->name()));
}

}  // namespace kdbench
