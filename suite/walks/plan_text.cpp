// SPDX-License-Identifier: MIT
#include "suite/walks/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "reports/table.h"
#include "suite/machine/machine.h"

namespace kdbench {
namespace {

// Below this share of useful work per rank a plan deserves a word.
constexpr double kPoorBalance = 0.7;

std::string megabytes(int64_t bytes) {
  return fmt::format("{:.1f}", static_cast<double>(bytes) / 1e6);
}

std::string bytes_text(int64_t bytes) { return kdbench::bytes_text(static_cast<double>(bytes)); }

// "40 s", "12 min", "3.4 h".
std::string time_text(double seconds) {
  constexpr double kMinute = 60.0, kHour = 3600.0;
  if (seconds < 1) return "< 1 s";
  if (seconds < 2 * kMinute) return fmt::format("{:.0f} s", seconds);
  if (seconds < 2 * kHour) return fmt::format("{:.0f} min", seconds / kMinute);
  return fmt::format("{:.1f} h", seconds / kHour);
}

std::string data_table(const Plan& plan) {
  Table table;
  table.header = {"task", "split", "rows", "tokens", "mean", "longest"};
  for (const auto& split : plan.splits) {
    const double rows = static_cast<double>(std::max<int64_t>(split.rows, 1));
    const double mean = static_cast<double>(split.tokens) / rows;
    table.rows.push_back({split.task, split.split, std::to_string(split.rows),
                          std::to_string(split.tokens), fmt::format("{:.1f}", mean),
                          std::to_string(split.longest)});
  }
  return write_console(table);
}

// "4", or "8 + 4" with several phases.
std::string by_phase(const TrainingCost& training,
                     const std::function<int64_t(const PhaseCost&)>& number) {
  std::string text;
  for (const auto& phase : training.phases) {
    text += fmt::format("{}{}", text.empty() ? "" : " + ", number(phase));
  }
  return text.empty() ? "-" : text;
}

// A model that is only scored has neither batches nor steps.
std::string or_dash(int64_t number) { return number > 0 ? std::to_string(number) : "-"; }

std::string training_table(const Plan& plan) {
  Table table;
  table.header = {"task",   "method", "runs",    "params (M)", "batch",    "steps/epoch",
                  "epochs", "steps",  "updates", "GFLOP/step", "TFLOP/run"};
  for (const auto& work : plan.work) {
    const TrainingCost& training = work.training;
    const double steps = static_cast<double>(std::max<int64_t>(1, training.steps));
    table.rows.push_back({work.task, work.label, std::to_string(work.seeds.size()),
                          fmt::format("{:.2f}", static_cast<double>(work.parameters) / 1e6),
                          or_dash(training.batch_size), or_dash(training.steps_per_epoch),
                          by_phase(training, [](const PhaseCost& phase) { return phase.epochs; }),
                          by_phase(training, [](const PhaseCost& phase) { return phase.steps; }),
                          by_phase(training, [](const PhaseCost& phase) { return phase.updates; }),
                          fmt::format("{:.3g}", work.flops() / steps / 1e9),
                          fmt::format("{:.3g}", work.flops() / 1e12)});
  }
  table.notes = {
      "Updates: optimizer steps. FLOP: 3 x forward on real tokens, and the forward pass of a "
      "teacher online; evaluation not counted."};
  return write_console(table);
}

std::string range_text(int64_t low, int64_t high) {
  return low == high ? std::to_string(low) : fmt::format("{}-{}", low, high);
}

std::string rank_table(const Plan& plan) {
  Table table;
  table.header = {"task",     "method",     "rows",      "tokens",  "balance",   "allreduces",
                  "grad. MB", "weights MB", "optim. MB", "best MB", "activ. MB", "outputs MB"};
  for (const auto& work : plan.work) {
    const TrainingCost& training = work.training;
    const RamCost& ram = training.ram;
    if (training.phases.empty()) continue;
    table.rows.push_back(
        {work.task, work.label, range_text(training.shares.fewest_rows, training.shares.most_rows),
         std::to_string(training.shares.largest_pass),
         fmt::format("{:.0f} %", 100 * training.shares.balance),
         std::to_string(training.traffic.allreduces), megabytes(training.traffic.gradient_bytes),
         megabytes(ram.values + ram.gradients), megabytes(ram.moments), megabytes(ram.best),
         megabytes(ram.activations), megabytes(work.teacher_outputs)});
  }
  table.notes = {
      "In a step: rows, tokens of the largest forward pass, allreduces and gradients (of word "
      "embeddings the rows of its tokens). Balance: "
      "tokens "
      "over what the fullest",
      "rank makes all wait for, batches in file order. In memory: values and gradients, moments, "
      "best "
      "weights (old and new),",
      "activations (estimated), the teacher's outputs."};
  return write_console(table);
}

std::string stage_table(const Plan& plan) {
  Table table;
  table.header = {"stage", "of", "name", "state", "MB", "TFLOP", "time"};
  for (const auto& stage : plan.stages) {
    table.rows.push_back(
        {stage.kind, stage.what,
         stage.name.empty() ? "(depends on the teacher's weights)" : stage.name,
         stage.reused ? "reused" : "to be made", megabytes(stage.bytes),
         stage.flops > 0 ? Cell(fmt::format("{:.3g}", stage.flops / 1e12)) : Cell(),
         stage.flops > 0 ? Cell(time_text(stage.seconds)) : Cell()});
  }
  table.notes = {fmt::format(
      "Time: of the training alone, at half of what matrix products reach on this host now ({:.0f} "
      "GFLOP/s a rank).",
      plan.limits.flops_per_s / 1e9)};
  return write_console(table);
}

// Ranks, of the most loaded step, that have no row at all.
int64_t idle_ranks(const Plan& plan) {
  int64_t idle = 0;
  for (const auto& work : plan.work) {
    const int64_t rows = std::min(work.training.rows, work.training.batch_size);
    if (!work.training.phases.empty()) idle = std::max(idle, plan.ranks - rows);
  }
  return idle;
}

std::string warning_lines(const Plan& plan) {
  std::string text;
  for (const auto& warning : plan_warnings(plan)) text += "warning: " + warning + "\n";
  return text;
}

std::string sums(const Plan& plan) {
  const PlanLimits& limits = plan.limits;
  const auto made = std::count_if(plan.stages.begin(), plan.stages.end(),
                                  [](const StagePlan& stage) { return !stage.reused; });
  return fmt::format(
      "stages and runs  {} to be made, {} reused\n"
      "time             about {}, without evaluation and what is read and written\n"
      "disk             about {} to be written, {} free\n"
      "memory           about {} per rank at most (program {}), {} of {} rank{} on a host with {} "
      "of "
      "rows and outputs, {}: {} of {} available\n"
      "teacher outputs  budget of teacher_outputs = \"auto\": {} on the disk in all, {} in memory "
      "(half of what is free)\n",
      made, static_cast<int64_t>(plan.stages.size()) - made, time_text(plan.seconds()),
      bytes_text(plan.new_disk_bytes()), bytes_text(limits.free_disk),
      bytes_text(plan.program_bytes + plan.training_bytes), bytes_text(plan.program_bytes),
      limits.ranks_per_host, plan.ranks, plan.ranks == 1 ? "" : "s", bytes_text(plan.shared_bytes),
      limits.copies == 1 ? "once" : "each", bytes_text(plan.host_bytes()),
      bytes_text(limits.available_memory), bytes_text(limits.outputs.disk),
      bytes_text(limits.outputs.memory));
}

}  // namespace

std::vector<std::string> plan_warnings(const Plan& plan) {
  std::vector<std::string> warnings;
  const PlanLimits& limits = plan.limits;
  const int64_t memory = plan.host_bytes();
  if (memory > limits.available_memory) {
    warnings.push_back(fmt::format(
        "{} ranks on a host need about {}, this host has {} available: fewer ranks on a host, or "
        "train.micro_batch",
        limits.ranks_per_host, bytes_text(memory), bytes_text(limits.available_memory)));
  }
  if (plan.new_disk_bytes() > limits.free_disk) {
    warnings.push_back(fmt::format("the results need about {}, the disk has {} free: another --out",
                                   bytes_text(plan.new_disk_bytes()),
                                   bytes_text(limits.free_disk)));
  }
  double balance = 1.0;
  for (const auto& work : plan.work) balance = std::min(balance, work.training.shares.balance);
  if (const int64_t idle = idle_ranks(plan); idle > 0) {
    warnings.push_back(
        fmt::format("at least {} of {} ranks have no rows in any step: fewer ranks, or a larger "
                    "train.batch_size",
                    idle, plan.ranks));
  } else if (balance < kPoorBalance) {
    warnings.push_back(
        fmt::format("a step keeps the ranks busy for {:.0f} % of its time at most: fewer ranks, or "
                    "a larger train.batch_size",
                    100 * balance));
  }
  return warnings;
}

std::string plan_text(const Plan& plan) {
  return fmt::format(
      "Data\n\n{}\nTraining\n\n{}\nOn each of {} rank{}\n\n{}\nStages and runs\n\n{}\n{}{}",
      data_table(plan), training_table(plan), plan.ranks, plan.ranks == 1 ? "" : "s",
      rank_table(plan), stage_table(plan), sums(plan), warning_lines(plan));
}

}  // namespace kdbench
