// SPDX-License-Identifier: MIT
#include "suite/scaling/scaling_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "io/base/error.h"
#include "reports/run_files.h"
#include "suite/machine/stopwatch.h"
#include "suite/scaling/launch.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStages = ".stages";

// An output folder of its own, with the stages of all.
fs::path make_place(const fs::path& folder, const fs::path& stages, int ranks, int round) {
  const fs::path place = folder / fmt::format("n{}-r{}", ranks, round);
  fs::create_directories(stages);
  fs::create_directories(place);
  fs::create_directory_symlink(stages, place / kStages);
  return place;
}

// The one student's run that was left there.
fs::path find_run(const fs::path& place) {
  for (const auto& experiment : fs::directory_iterator(place)) {
    if (experiment.path().filename() == kStages || !experiment.is_directory()) continue;
    for (const auto& run : fs::directory_iterator(experiment.path())) {
      if (read_run_json(run.path()).value("role", "") == "student") return run.path();
    }
  }
  throw_user_error(place.string(), "holds no student's run");
}

bool precise(const std::vector<ScalingRun>& runs, double precision) {
  const auto points = scaling_points(runs);
  return std::all_of(points.begin(), points.end(),
                     [&](const auto& point) { return point.half_width <= precision; });
}

class Study {
 public:
  Study(const ScalingSettings& settings, const fs::path& folder,
        const std::function<void(const std::string&)>& say)
      : settings_(settings), folder_(folder), say_(say), begin_(std::chrono::steady_clock::now()) {}

  ScalingStudy make() {
    double longest = 0.0;
    while (study_.rounds < settings_.most_rounds) {
      const double before = seconds_since(begin_);
      if (settings_.budget_s > 0 && study_.rounds >= settings_.least_rounds &&
          before + longest > settings_.budget_s) {
        study_.out_of_budget = true;
        break;
      }
      if (!make_round()) break;
      ++study_.rounds;
      longest = std::max(longest, seconds_since(begin_) - before);
      study_.precise = precise(study_.runs, settings_.precision);
      if (study_.precise && study_.rounds >= settings_.least_rounds) break;
    }
    return std::move(study_);
  }

 private:
  // False: a run has failed, and there are rounds before this one, which stand.
  bool make_round() {
    const size_t before = study_.runs.size();
    try {
      for (const int ranks : settings_.ranks) run(ranks);
      return true;
    } catch (const Error& error) {
      if (study_.rounds == 0) throw;
      study_.runs.resize(before);
      study_.failure = error.what();
      return false;
    }
  }

  void run(int ranks) {
    const fs::path place = make_place(folder_, settings_.stages, ranks, study_.rounds + 1);
    const fs::path log = place / "log";
    std::vector<std::string> words = launcher_words(settings_.launcher, ranks);
    words.insert(words.end(), settings_.command.begin(), settings_.command.end());
    words.insert(words.end(), {"--out", place.string()});
    if (const int64_t batch = batch_of(ranks); batch != settings_.batch) {
      words.insert(words.end(), {"--set", fmt::format("method.{}.train.batch_size={}",
                                                      settings_.method, batch)});
    }
    const int status = run_program_of(words, log);
    if (status != 0) {
      throw_user_error(log.string(),
                       fmt::format("the run on {} ranks ended with exit code {}", ranks, status),
                       "the file says why");
    }
    study_.runs.push_back(read_scaling_run(find_run(place).string()));
    if (study_.runs.back().batch != batch_of(ranks)) {
      throw_user_error(
          log.string(),
          fmt::format("its steps have {} rows, not {}", study_.runs.back().batch, batch_of(ranks)),
          "there must be more training rows than that, and no batch_size in "
          "[method.task.<TASK>.train]");
    }
    if (study_.runs.back().ranks != ranks) {
      throw_user_error("--launcher " + settings_.launcher,
                       fmt::format("started {} ranks, not {}", study_.runs.back().ranks, ranks));
    }
    const ScalingPoint point = scaling_points({study_.runs.back()}).front();
    say_(fmt::format("round {}, {} rank{}: {:.1f} ms a step, {:.1f} samples/s", study_.rounds + 1,
                     ranks, ranks == 1 ? "" : "s", 1e3 * point.step_s, point.samples_per_s));
  }

  int64_t batch_of(int ranks) const {
    if (settings_.mode == ScalingMode::kStrong) return settings_.batch;
    return settings_.batch * ranks / settings_.ranks.front();
  }

  const ScalingSettings& settings_;
  const fs::path folder_;
  const std::function<void(const std::string&)>& say_;
  const std::chrono::steady_clock::time_point begin_;
  ScalingStudy study_;
};

}  // namespace

ScalingStudy make_scaling_study(const ScalingSettings& settings, const fs::path& folder,
                                const std::function<void(const std::string&)>& say) {
  return Study(settings, folder, say).make();
}

}  // namespace kdbench
