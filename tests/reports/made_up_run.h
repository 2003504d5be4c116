// SPDX-License-Identifier: MIT
// run.json records as tests make them up: only what the tables read.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace kdbench::testing {

// Metrics of a task with one dev split.
inline nlohmann::json dev_scores(double accuracy, double f1) {
  return {{"dev", {{"accuracy", accuracy}, {"f1", f1}}}};
}

// A finished run of experiment "exp": 1000 samples in `seconds` on 2 ranks of 1 thread; predicts
// 100 rows in a hundredth of that.
inline nlohmann::json made_up_run(const std::string& task, const std::string& label, int seed,
                                  const nlohmann::json& scores, double seconds) {
  const bool teacher = label == "teacher", assistant = label == "assistant";
  return {{"schema_version", 1},
          {"run_id", task + "-" + label + "-s" + std::to_string(seed)},
          {"status", "done"},
          {"reason", ""},
          {"experiment", "exp"},
          {"task", task},
          {"label", label},
          {"method", teacher     ? "finetune"
                     : assistant ? "takd"
                                 : label},
          {"role", teacher || assistant ? label : "student"},
          {"seed", seed},
          {"checkpoint", "last"},
          {"metrics", {{"last", scores}, {"best", scores}, {"best_epoch", 1}}},
          {"samples", 1000},
          {"time", {{"train_s", seconds}, {"core_s", 2 * seconds}, {"predict_s", seconds / 100}}},
          {"throughput",
           {{"samples_per_s_global", 1000 / seconds},
            {"predicted_samples_per_s_global", 10000 / seconds}}},
          {"epochs", 3},
          {"steps", 96},
          {"parameters", teacher ? 22710000 : 12340000},
          {"system",
           {{"hosts", nlohmann::json::array({{{"name", "vm"}, {"cpu", "CPU"}}})},
            {"ranks", 2},
            {"threads_per_rank", 1}}}};
}

inline nlohmann::json not_done(nlohmann::json run, const std::string& status,
                               const std::string& reason) {
  run["status"] = status;
  run["reason"] = reason;
  for (const char* key :
       {"metrics", "samples", "time", "throughput", "steps", "epochs", "parameters"}) {
    run.erase(key);
  }
  return run;
}

}  // namespace kdbench::testing
