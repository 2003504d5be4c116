// SPDX-License-Identifier: MIT
#include "suite/models/model_setup.h"

#include <algorithm>
#include <map>

#include "io/base/error.h"
#include "io/base/text.h"
#include "io/tokenizers/tokenizer.h"
#include "io/weights/weight_files.h"
#include "methods/models/checkpoint.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Sizes of a model given by its architecture: all written in the experiment but the vocabulary,
// which the tokenizer has.
ModelConfig config_from_sizes(const ModelSettings& settings) {
  const Architecture& architecture = find_architecture(settings.architecture);
  Sizes sizes = settings.sizes;
  architecture.complete(sizes);
  ModelConfig config = architecture.defaults;
  for (const auto& key : architecture.sizes) {
    const auto found = sizes.find(key.spec.name);
    if (found != sizes.end()) config.*key.member = found->second;
  }
  if (settings.layers) config.layers = *settings.layers;
  if (config.vocabulary == 0)
    config.vocabulary = load_tokenizer(tokenizer_folder(settings))->vocabulary_size();
  Problems problems;
  for (const auto& key : architecture.sizes) {
    if (key.needed && config.*key.member <= 0)
      problems.add("model." + key.spec.name,
                   "a positive number is needed for a model without weights");
  }
  problems.throw_if_any("model");
  return config;
}

// A model's own order of the task's labels, as the task writes them ("ENTAILMENT" is entailment);
// nothing when its names are not the task's.
std::optional<std::vector<std::string>> own_order(const std::vector<std::string>& own,
                                                  const Task& task) {
  std::vector<std::string> order;
  for (const auto& name : own) {
    for (const auto& label : task.labels) {
      if (ascii_lower(name) == ascii_lower(label)) order.push_back(label);
    }
  }
  const bool same =
      own.size() == task.labels.size() &&
      std::is_permutation(order.begin(), order.end(), task.labels.begin(), task.labels.end());
  return same ? std::optional(order) : std::nullopt;
}

// The folder that init reads: the fine-tuned teacher's, or the model's own; empty when everything
// is random.
std::optional<fs::path> source_folder(const ModelRequest& request) {
  if (request.settings.init == "random") return std::nullopt;
  if (request.settings.init_from == "teacher") return request.teacher_folder;
  return request.settings.weights;
}

std::string shortened(const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i ? ", " : "") + names[i];
  }
  return names.size() > kShown ? text + ", and " + std::to_string(names.size() - kShown) + " more"
                               : text;
}

// A head that nobody trained would only make noise.
void check_frozen_head(const Task& task, const LoadReport& report, const fs::path& folder) {
  if (!report.missing.empty()) {
    throw_user_error(folder.string(),
                     "holds no " + report.missing.front() + ", and is used without training",
                     "fine-tune it first (in an experiment: add [teacher.train])");
  }
  const auto own = read_model_config(folder).labels;
  if (own.empty() || task.regression() || own_order(own, task)) return;
  throw_user_error(
      folder.string(), "its labels (" + shortened(own) + ") are not those of " + task.name,
      "id2label in config.json must name the task's labels: " + shortened(task.labels));
}

// A frozen model without names of labels is taken to have the task's order.
void say_assumed_labels(const Task& task, const fs::path& folder, const Workspace& workspace) {
  const bool numbers = task.regression() || task.labels == std::vector<std::string>{"0", "1"};
  if (numbers || !read_model_config(folder).labels.empty()) return;
  workspace.say(folder.string() +
                ": its labels have no names, they are taken to be, in this order, " +
                joined(task.labels, ", "));
}

void say_report(const LoadReport& report, const fs::path& folder, const Workspace& workspace) {
  if (!report.missing.empty()) {
    workspace.say(folder.string() + ": begin at random: " + shortened(report.missing));
  }
  if (!report.unexpected.empty()) {
    workspace.say(folder.string() + ": not used: " + shortened(report.unexpected));
  }
}

TensorMap outline_tensors(const Model& model) {
  TensorMap tensors;
  for (const auto& segment : model.parameters().layout().segments())
    tensors[segment.name] = model.parameters()[segment.name].detach();
  return tensors;
}

}  // namespace

fs::path tokenizer_folder(const ModelSettings& settings) {
  if (settings.tokenizer) return *settings.tokenizer;
  if (settings.weights) return *settings.weights;
  throw_user_error("model.tokenizer", "a model without weights needs the folder of a tokenizer");
}

ModelConfig resolve_config(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout) {
  ModelConfig config =
      settings.weights ? read_model_config(*settings.weights) : config_from_sizes(settings);
  if (settings.layers) config.layers = *settings.layers;
  if (dropout) config.set_dropout(*dropout);
  config.labels = own_order(config.labels, task).value_or(task.labels);
  return config;
}

namespace {

ModelConfig requested_config(const ModelRequest& request) {
  ModelConfig config = resolve_config(request.settings, *request.task, request.dropout);
  if (request.labels) config.labels = *request.labels;
  return config;
}

ModelSpec requested_spec(const ModelRequest& request, at::Device device) {
  ModelSpec spec;
  spec.config = requested_config(request);
  spec.outputs = request.task->classes();
  spec.extra = request.extra;
  spec.device = device;
  return spec;
}

std::unique_ptr<Model> make_outline(const ModelSettings& settings, const Task& task) {
  ModelRequest request;
  request.settings = settings;
  request.task = &task;
  return outline_model(request);
}

}  // namespace

std::unique_ptr<Model> outline_model(const ModelRequest& request) {
  return make_model(requested_spec(request, at::kMeta));
}

std::unique_ptr<Model> build_model(const ModelRequest& request, const Workspace& workspace) {
  std::unique_ptr<Model> model;
  workspace.control.agree([&] {
    const ModelSpec spec = requested_spec(request, workspace.device);
    const fs::path tokenizer = tokenizer_folder(request.settings);
    check_vocabulary(tokenizer, load_tokenizer(tokenizer)->vocabulary_size(), spec.config);
    model = make_model(spec);
    initialize_parameters(*model, request.seed);
    if (const auto folder = source_folder(request)) {
      const LoadReport report = initialize_from_checkpoint(*model, *folder, request.settings.init);
      if (request.frozen) {
        check_frozen_head(*request.task, report, *folder);
        say_assumed_labels(*request.task, *folder, workspace);
      }
      say_report(report, *folder, workspace);
    }
  });
  return model;
}

TrainedModel load_trained_model(const fs::path& folder, const Task& task,
                                const Workspace& workspace) {
  ModelRequest request;
  request.settings.weights = folder;
  request.task = &task;
  request.frozen = true;
  auto model = build_model(request, workspace);
  const auto sha256 = from_root(workspace.control, [&] { return model_weights_sha256(folder); });
  return {std::move(model), &task, sha256.get<std::string>()};
}

void check_model(const ModelSettings& settings, const ModelSettings* teacher, bool frozen,
                 const std::vector<const Task*>& tasks) {
  const bool from_teacher = settings.init != "random" && settings.init_from == "teacher";
  const bool from_file = settings.init != "random" && !from_teacher && settings.weights;
  const int64_t vocabulary = load_tokenizer(tokenizer_folder(settings))->vocabulary_size();
  const TensorMap weights =
      from_file
          ? read_checkpoint(*settings.weights, read_model_config(*settings.weights).architecture)
          : TensorMap{};
  std::map<int64_t, LoadReport> reports;  // tasks with as many classes take the same tensors
  for (const Task* task : tasks) {
    const auto [report, is_new] = reports.try_emplace(task->classes());
    if (is_new) {
      const auto model = make_outline(settings, *task);
      check_vocabulary(tokenizer_folder(settings), vocabulary, model->config());
      if (from_teacher && teacher) {
        const auto source = make_outline(*teacher, *task);
        initialize_student(*model, outline_tensors(*source), source->config().layers, settings.init,
                           "init_from = \"teacher\"");
      } else if (from_file) {
        const fs::path& folder = *settings.weights;
        report->second = initialize_student(*model, weights, read_model_config(folder).layers,
                                            settings.init, folder.string());
      }
    }
    if (from_file && frozen) check_frozen_head(*task, report->second, *settings.weights);
  }
}

nlohmann::json model_inputs(const ModelRequest& request) {
  const ModelConfig config = requested_config(request);
  const auto folder = source_folder(request);
  return {{"config", to_config_json(config)},
          {"labels", config.labels},
          {"init", request.settings.init},
          {"init_from", request.settings.init_from},
          {"weights", folder ? model_weights_sha256(*folder) : "random"},
          {"seed", request.seed}};
}

}  // namespace kdbench
