// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/base/text.h"
#include "reports/table.h"
#include "suite/jobs/job_queue.h"
#include "suite/jobs/job_texts.h"
#include "suite/machine/child_process.h"
#include "suite/machine/machine.h"
#include "suite/verbs/experiment_options.h"
#include "suite/verbs/registry.h"
#include "suite/walks/job_plan.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr double kGigabyte = 1e9;

struct SlurmOptions : ExperimentOptions {
  std::string jobs, site;
  int nodes = 1, ranks_per_node = 0, cpus_per_rank = 1, at_once = 0;
  int64_t most_minutes = 24 * 60;
  double node_memory = 0.0, gflops = 0.0;  // GB; of a rank
  bool submit = false, status = false, cancel = false;
};

// One verb, one thing to do with the jobs.
void check_options(const SlurmOptions& options) {
  const int asked = int{options.submit} + int{options.status} + int{options.cancel};
  if (asked > 1)
    throw_user_error("slurm", "--submit, --status and --cancel are three calls", "give one");
  if (!options.site.empty() && !is_file(options.site))
    throw_user_error("--site " + options.site, "there is no such file",
                     "slurm/site.sh is an example");
}

// The jobs' folder with what all scripts need; an edited site.sh stays, unless another is given.
void make_folder(const SlurmOptions& options, const fs::path& folder) {
  make_folder_of(folder / "logs" / "any");
  if (!options.site.empty()) {
    write_file(folder / "site.sh", read_text_file(options.site));
  } else if (!is_file(folder / "site.sh")) {
    write_file(folder / "site.sh", kSiteText);
  }
}

// For `kdbench run` in all jobs.
std::vector<std::string> run_arguments(const SlurmOptions& options, bool gpus) {
  std::vector<std::string> arguments{fs::absolute(options.experiment).string(), "--out",
                                     fs::absolute(options.session.out).string(), "--device",
                                     gpus ? "cuda" : "cpu"};
  if (options.session.threads > 0)
    arguments.insert(arguments.end(), {"--threads", std::to_string(options.session.threads)});
  if (options.session.patience != SessionOptions{}.patience)
    arguments.insert(arguments.end(), {"--patience", std::to_string(options.session.patience)});
  for (const auto& key : options.overrides) arguments.insert(arguments.end(), {"--set", key});
  return arguments;
}

int site_gpus(const SlurmClient& site) {
  const std::string text = site.site_value("gpus_per_node");
  if (text.empty()) return 0;
  if (text.find_first_not_of("0123456789") != std::string::npos || text.size() > 4)
    throw_user_error("site.sh", "gpus_per_node=" + text + " is no number of GPUs");
  return std::stoi(text);
}

// Of a node, as the jobs will use them.
int job_gpus(const SlurmOptions& options, const fs::path& folder) {
  const int gpus = options.session.device == "cpu" ? 0 : site_gpus(SlurmClient(folder));
  if (options.session.device == "cuda" && gpus == 0)
    throw_user_error("--device cuda", "site.sh says that nodes have no GPUs",
                     "set gpus_per_node in " + (folder / "site.sh").string());
  if (gpus > 0 && options.ranks_per_node > gpus)
    throw_user_error("--ranks-per-node",
                     fmt::format("{} ranks on a node of {} GPUs", options.ranks_per_node, gpus),
                     "each rank has one of its own");
  return gpus;
}

JobSettings settings_of(const SlurmOptions& options, const Experiment& experiment,
                        const fs::path& folder, int gpus, const Measured& measured) {
  JobSettings settings;
  settings.experiment = experiment.name;
  settings.program = program_path();
  settings.working = fs::current_path();
  settings.results = fs::absolute(options.session.out) / experiment.name;
  settings.arguments = run_arguments(options, gpus > 0);
  settings.report = folder / "report";
  settings.nodes = options.nodes;
  settings.ranks_per_node = options.ranks_per_node > 0 ? options.ranks_per_node : std::max(1, gpus);
  settings.cpus_per_rank = options.cpus_per_rank;
  settings.gpus = gpus > 0;
  settings.at_once = options.at_once;
  settings.most_minutes = options.most_minutes;
  settings.time_known = gpus == 0 || options.gflops > 0.0 || measured.flops_per_s > 0.0;
  settings.rank_bytes = measured.rank_bytes;
  return settings;
}

// What decides which jobs there are.
nlohmann::json identity(const SlurmOptions& options) {
  return {{"experiment", fs::absolute(options.experiment).lexically_normal().string()},
          {"out", fs::absolute(options.session.out).lexically_normal().string()},
          {"set", options.overrides},
          {"tasks", options.selection.tasks},
          {"methods", options.selection.methods},
          {"seeds", options.selection.seeds}};
}

std::string jobs_table(const std::vector<JobGroup>& groups, const JobSettings& settings) {
  Table table;
  table.header = {"script", "jobs",         "done",      "nodes",
                  "ranks",  "cores a rank", "MB a node", "minutes"};
  for (const auto& group : groups) {
    const auto done = std::count_if(group.units.begin(), group.units.end(),
                                    [](const JobUnit& unit) { return unit.done(); });
    const int nodes = job_nodes(group, settings);
    table.rows.push_back(
        {script_name(group.group), integer_cell(static_cast<int64_t>(group.units.size())),
         integer_cell(done), integer_cell(nodes),
         integer_cell(int64_t{nodes} * settings.ranks_per_node),
         integer_cell(settings.cpus_per_rank), integer_cell(job_megabytes(group, settings)),
         integer_cell(job_minutes(group, settings))});
  }
  return write_console(table);
}

nlohmann::json groups_json(const std::vector<JobGroup>& groups, const JobSettings& settings) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& group : groups) {
    nlohmann::json units = nlohmann::json::array();
    for (const auto& unit : group.units)
      units.push_back({{"of", unit.name()}, {"state", unit.state}, {"seconds", unit.seconds}});
    list.push_back({{"script", script_name(group.group)},
                    {"nodes", job_nodes(group, settings)},
                    {"megabytes", job_megabytes(group, settings)},
                    {"minutes", job_minutes(group, settings)},
                    {"units", std::move(units)}});
  }
  return list;
}

void write_scripts(const std::vector<JobGroup>& groups, const JobSettings& settings,
                   const fs::path& folder) {
  for (const auto& group : groups)
    write_file(folder / script_name(group.group), job_script(group, settings));
  write_file(folder / kReportScript, report_script(settings));
}

void answer_submitted(const std::vector<SubmittedArray>& made, Answer& answer) {
  answer.data["submitted"] = nlohmann::json::array();
  for (const auto& array : made) {
    std::vector<size_t> numbers;
    for (const auto& [number, unit] : array.units) numbers.push_back(number);
    const std::string tasks = number_ranges(numbers);
    answer.text(fmt::format("submitted {} [{}]: job {}\n", array.name, tasks, array.id));
    answer.data["submitted"].push_back({{"job", array.id}, {"name", array.name}, {"tasks", tasks}});
  }
  if (made.empty()) answer.text("nothing to submit: all is there, or queued\n");
}

PlanTarget target_of(const SlurmOptions& options, const JobSettings& settings,
                     const Measured& measured) {
  return {.ranks = settings.nodes * settings.ranks_per_node,
          .ranks_per_host = settings.ranks_per_node,
          .memory_bytes = static_cast<int64_t>(options.node_memory * kGigabyte),
          .flops_per_s = options.gflops * kGigabyte,
          .training_flops_per_s = options.gflops > 0.0 ? 0.0 : measured.flops_per_s};
}

void answer_queue(const SlurmOptions& options, JobQueue queue, Answer& answer) {
  if (options.submit) {
    answer.text("\n");
    answer_submitted(queue.submit(), answer);
  } else if (options.cancel) {
    const auto cancelled = queue.cancel();
    answer.text(fmt::format("{} jobs cancelled\n", cancelled.size()));
    answer.data["cancelled"] = cancelled;
  } else {
    const auto status = queue.status();
    answer.text(job_status_text(status));
    answer.data["status"] = job_status_json(status);
  }
}

// Of the root, which alone works here.
void work(const SlurmOptions& options, const Experiment& experiment, const Workspace& workspace,
          Answer& answer) {
  const fs::path folder = plain_path(options.jobs);
  const bool writes = !options.status && !options.cancel;
  if (!writes && !is_file(folder / "jobs.json"))
    throw_user_error("--jobs " + options.jobs, "nothing was submitted from there");
  JobBook book(folder, identity(options));
  if (writes) make_folder(options, folder);
  const int gpus = job_gpus(options, folder);
  const Measured measured =
      measured_runs(workspace.out / experiment.name, gpus > 0 ? "cuda" : "cpu");
  const JobSettings settings = settings_of(options, experiment, folder, gpus, measured);
  const auto groups =
      plan_jobs(experiment, options.selection, target_of(options, settings, measured), workspace);
  answer.data.update({{"experiment", experiment.name},
                      {"folder", folder.string()},
                      {"jobs", groups_json(groups, settings)}});
  if (writes) {
    write_scripts(groups, settings, folder);
    answer.text(jobs_table(groups, settings));
  }
  if (writes && !options.submit) {
    answer.text(fmt::format("\nscripts in {}; --submit submits them\n", folder.string()));
    return;
  }
  answer_queue(options, JobQueue(folder, settings, groups, std::move(book)), answer);
}

ExitCode slurm(const SlurmOptions& options, const VerbContext& context) {
  context.control.agree([&] { check_options(options); });
  const Experiment experiment = load_selected(options, context);
  SessionOptions here = options.session;  // jobs compute, not this process
  here.device = "cpu";
  here.threads = 0;
  here.quiet = true;
  const Session session(here, context);
  context.control.on_root([&] { work(options, experiment, session.workspace(), context.answer); });
  return ExitCode::kDone;
}

void add_size_options(CLI::App& app, SlurmOptions& options) {
  const auto number = [&](const char* flag, auto& value, const char* help) {
    app.add_option(flag, value, help)->check(CLI::PositiveNumber);
  };
  app.add_option("--nodes", options.nodes, "of a job")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  number("--ranks-per-node", options.ranks_per_node, "default: the site's GPUs of a node, or 1");
  app.add_option("--cpus-per-rank", options.cpus_per_rank, "cores, and threads, of a rank")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  number("--at-once", options.at_once, "so many jobs of an array at the same time (default: all)");
  app.add_option("--time-limit", options.most_minutes,
                 "minutes that the queue allows at most; what needs longer goes on in a job after")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  number("--node-memory", options.node_memory, "nodes have so many GB of memory");
  number("--gflops", options.gflops,
         "ranks have so many GFLOP/s in matrix products (default: as earlier runs in --out had "
         "them, else as this machine)");
}

}  // namespace

Verb slurm_verb() {
  return {"slurm", "Job scripts of an experiment for Slurm; submits them, says how they stand",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<SlurmOptions>();
            add_experiment_options(app, *options);
            add_selection_options(app, *options);
            add_method_option(app, *options);
            app.add_option("--jobs", options->jobs, "folder of the scripts, their logs, the report")
                ->required();
            app.add_option("--site", options->site,
                           "what the site's jobs need, a file like slurm/site.sh");
            add_size_options(app, *options);
            app.add_flag("--submit", options->submit, "submit what is neither there nor queued");
            app.add_flag("--status", options->status, "how stages and jobs stand");
            app.add_flag("--cancel", options->cancel, "cancel what is queued or running");
            app.footer(
                "Jobs: prepare, teachers, assistants, outputs, students (arrays), report; each "
                "waits for those that make what it needs.");
            return [options](const VerbContext& context) { return slurm(*options, context); };
          }};
}

}  // namespace kdbench
