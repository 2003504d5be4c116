// SPDX-License-Identifier: MIT
#include "suite/models/build_model.h"

#include <fmt/format.h>

#include "io/base/error.h"
#include "io/base/text.h"
#include "io/tokenizers/tokenizer.h"
#include "io/weights/weight_files.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"
#include "suite/models/first_words.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

ModelSpec spec_of(const InitialModel& initial, at::Device device) {
  ModelSpec spec;
  spec.config = initial.config;
  spec.outputs = initial.task->classes();
  spec.extra = initial.extra;
  spec.device = device;
  return spec;
}

void say_report(const InitialModel& initial, const LoadReport& report, const fs::path& folder,
                const Workspace& workspace) {
  const auto say = [&](const std::string& line) {
    workspace.say_once(fmt::format("{}: {}", folder.string(), line));
  };
  const auto say_names = [&](const std::string& what, const std::vector<std::string>& names) {
    if (!names.empty()) say(what + first_few(names));
  };
  for (const auto& remark : initial.remarks()) say(remark);
  for (const auto& note : report.notes) say(note);
  say_names("config.json: keys that are not known and not used: ", initial.config.unused_keys);
  say_names("begin at random: ", report.missing);
  say_names("not used: ", report.unexpected);
  if (report.missing.empty() && report.notes.empty() && !initial.frozen) {
    say_names("its classifier is trained on, but was another task's, with the labels ",
              initial.other_labels);
  }
}

// Of a model of words whose vectors no checkpoint gives.
void begin_words(const InitialModel& initial, Model& model, const Workspace& workspace) {
  if (find_architecture(initial.config.architecture).word_tables.empty()) return;
  const fs::path folder = tokenizer_folder(initial.settings, *initial.task);
  const auto tokenizer = load_tokenizer(folder);
  if (!tokenizer->words()) return;
  const auto& vectors = initial.settings.vectors;
  const int64_t found = set_first_words(model, *tokenizer->words(), vectors, initial.seed);
  if (!vectors) return;
  workspace.say_once(fmt::format("{}: {} of the {} words of {} have a vector", vectors->string(),
                                 found, tokenizer->words()->size(), initial.task->name));
}

}  // namespace

void check_whole(const LoadReport& report, const fs::path& folder) {
  if (report.missing.empty()) return;
  throw_user_error(folder.string(),
                   "holds no " + report.missing.front() + ", and is used without training",
                   "fine-tune it first (in an experiment: add [teacher.train]; of a language "
                   "model [transfer.train])");
}

std::unique_ptr<Model> outline_model(const InitialModel& initial) {
  return make_model(spec_of(initial, at::kMeta));
}

std::unique_ptr<Model> build_model(const InitialModel& initial, const Workspace& workspace) {
  std::unique_ptr<Model> model;
  workspace.control.agree([&] {
    model = make_model(spec_of(initial, workspace.device));
    initialize_parameters(*model, initial.seed);
    if (!initial.weights()) begin_words(initial, *model, workspace);
    if (const auto folder = initial.weights()) {
      const LoadReport report = initialize_from_checkpoint(*model, *folder, initial.settings.init,
                                                           /*trained=*/!initial.frozen);
      if (initial.frozen) check_whole(report, *folder);
      say_report(initial, report, *folder, workspace);
    }
  });
  return model;
}

TrainedModel load_trained_model(const fs::path& folder, const Task& task,
                                const Workspace& workspace) {
  InitialModel initial;
  workspace.control.agree([&] {
    ModelSettings settings;
    settings.weights = folder;
    initial = initial_model(settings, task);
    initial.frozen = true;
  });
  auto model = build_model(initial, workspace);
  const auto sha256 = from_root(workspace.control, [&] { return model_weights_sha256(folder); });
  return {std::move(model), &task, sha256.get<std::string>()};
}

}  // namespace kdbench
