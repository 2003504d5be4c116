// SPDX-License-Identifier: MIT
#include "suite/training/train_settings.h"

#include <algorithm>
#include <set>
#include <utility>

#include "io/tasks/task.h"
#include "suite/training/optimizer.h"
#include "suite/training/precision.h"
#include "suite/training/schedule.h"

namespace kdbench {
namespace {

// Far above any use: beyond them a number is mistyped, and sums of steps could leave int64.
constexpr double kMostRows = 1 << 30, kMostEpochs = 1'000'000;
constexpr Range kFraction{.low = 0, .high = 1, .high_open = true};

constexpr const char* kBert = "BERT's run_classifier.py";
constexpr const char* kOwn = "this suite";

template <typename T>
TrainKey key(const char* name, T TrainSettings::*member, const char* meaning, const char* source) {
  return {{name, TrainSettings{}.*member, meaning, source}, member};
}

TrainKey key(const char* name, std::optional<double> TrainSettings::*member, const char* meaning,
             const char* absent) {
  TrainKey made{{name, 0.0, meaning, kOwn}, member};
  made.spec.absent = absent;
  return made;
}

TrainKey in(const Range& range, TrainKey key) {
  key.spec.range = range;
  return key;
}

TrainKey one_of(std::vector<std::string> choices, TrainKey key,
                std::vector<std::string> planned = {}) {
  key.spec.choices = std::move(choices);
  key.spec.planned = std::move(planned);
  return key;
}

std::vector<std::string> metric_choices() {
  std::vector<std::string> names = all_metric_names();
  names.insert(names.begin(), "auto");
  return names;
}

std::vector<std::string> wrong_seeds(const OptionValue& value) {
  const auto& seeds = std::get<std::vector<int64_t>>(value);
  std::vector<std::string> wrong;
  if (seeds.empty()) wrong.emplace_back("expected at least one seed");
  if (std::set<int64_t>(seeds.begin(), seeds.end()).size() != seeds.size()) {
    wrong.emplace_back("a seed is listed twice (each seed is one run)");
  }
  if (std::any_of(seeds.begin(), seeds.end(), [](int64_t seed) { return seed < 0; })) {
    wrong.emplace_back("expected integers >= 0");
  }
  return wrong;
}

TrainKey later(TrainKey key) {
  key.later = true;
  return key;
}

TrainKey apart(TrainKey key) {
  key.shapes_result = false;
  key.searched = false;
  return key;
}

TrainKey seeds_key() {
  TrainKey seeds = key("seeds", &TrainSettings::seeds,
                       "a run each: initialisation, order of rows and dropout follow it", kOwn);
  seeds.spec.rule = wrong_seeds;
  seeds.searched = false;
  return seeds;
}

std::vector<TrainKey> make_keys() {
  using S = TrainSettings;
  return {
      in({.low = 1, .high = kMostRows},
         key("batch_size", &S::batch_size, "rows of the global batch, whatever the number of ranks",
             kBert)),
      in({.low = 0, .high = kMostRows},
         key("micro_batch", &S::micro_batch,
             "rows per forward pass and rank; 0: the rank's whole share", kOwn)),
      in({.low = 1, .high = kMostEpochs},
         key("epochs", &S::epochs, "passes over the training rows; a method's own epochs win",
             kBert)),
      in(above(0),
         key("learning_rate", &S::learning_rate, "of the schedule, at its highest", kBert)),
      one_of(known_optimizers(),
             key("optimizer", &S::optimizer, "the kind of clipping belongs to it", kOwn), {"sgd"}),
      one_of(known_schedules(), key("schedule", &S::schedule,
                                    "of the learning rate, over each phase; of adadelta constant "
                                    "where none is written",
                                    kBert)),
      in(kFraction, key("warmup", &S::warmup,
                        "share of a phase's steps in which a linear schedule rises", kBert)),
      in(at_least(0), key("weight_decay", &S::weight_decay,
                          "of the parameters that the architecture lets decay", kBert)),
      in(at_least(0), key("clip", &S::clip, "largest norm of the gradients; 0: any", kBert)),
      in(kFraction,
         key("dropout", &S::dropout, "every dropout probability of the model", "the model's own")),
      one_of(known_precisions(), key("precision", &S::precision,
                                     "of a training step's matrix products and activations; "
                                     "weights, gradients and scores are fp32",
                                     kOwn)),
      later(one_of({"fp32", "bf16"},
                   key("reduce_dtype", &S::reduce_dtype,
                       "in which gradients travel and are summed over ranks", kOwn))),
      key("shuffle", &S::shuffle, "rows in a new order each epoch; false: in the file's", kOwn),
      one_of({"last", "best"},
             key("checkpoint", &S::checkpoint, "which weights predict and are saved", kOwn)),
      one_of(metric_choices(),
             key("best_metric", &S::best_metric,
                 "what best weights are the best of, on dev rows; auto: the task's own", kOwn)),
      in(at_least(0), key("eval_steps", &S::eval_steps,
                          "evaluate every N steps too, beside every epoch; 0: do not", kOwn)),
      apart(in(at_least(0), key("checkpoint_minutes", &S::checkpoint_minutes,
                                "keep a training that is under way so often, for a job that goes "
                                "on with it; 0: only when it is stopped",
                                kOwn))),
      apart(in(at_least(0), key("checkpoint_steps", &S::checkpoint_steps,
                                "keep it every N steps too; 0: do not", kOwn))),
      seeds_key(),
  };
}

template <typename T>
void assign(const OptionValue& value, T& setting) {
  setting = std::get<T>(value);
}
void assign(const OptionValue& value, std::optional<double>& setting) {
  setting = std::get<double>(value);
}

template <typename T>
nlohmann::json json_of(const T& setting) {
  return setting;
}
nlohmann::json json_of(const std::optional<double>& setting) {
  return setting ? nlohmann::json(*setting) : nlohmann::json();
}

}  // namespace

const std::vector<TrainKey>& train_keys() {
  static const std::vector<TrainKey> keys = make_keys();
  return keys;
}

void overlay(const TrainLayer& layer, TrainSettings& settings) {
  for (const auto& key : train_keys()) {
    const auto written = layer.find(key.spec.name);
    if (written == layer.end()) continue;
    std::visit([&](auto member) { assign(written->second, settings.*member); }, key.member);
  }
}

TrainSettings settings_of(const std::vector<const TrainLayer*>& layers) {
  TrainSettings settings;
  bool scheduled = false;
  for (const TrainLayer* layer : layers) {
    overlay(*layer, settings);
    scheduled = scheduled || layer->contains("schedule");
  }
  // AdaDelta finds its own rates: the factor before them has no reason to fall.
  if (!scheduled && settings.optimizer == "adadelta") settings.schedule = "constant";
  return settings;
}

nlohmann::json to_json(const TrainSettings& settings) {
  nlohmann::json json;
  static const TrainSettings fallback;
  for (const auto& key : train_keys()) {
    std::visit(
        [&](auto member) {
          if (!key.shapes_result) return;
          if (key.later && settings.*member == fallback.*member) return;
          json[key.spec.name] = json_of(settings.*member);
        },
        key.member);
  }
  return json;
}

}  // namespace kdbench
