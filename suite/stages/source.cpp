// SPDX-License-Identifier: MIT
#include "suite/stages/source.h"

#include <fmt/format.h>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/batches/dataset.h"
#include "suite/config/method_models.h"
#include "suite/stages/memory.h"
#include "suite/stages/teacher_outputs.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Collective over the host.
std::shared_ptr<const TeacherSplit> outputs_from_file(const fs::path& file,
                                                      const TeacherNeeds& needs,
                                                      const Features& features,
                                                      const std::vector<std::string>& labels,
                                                      const Control& control) {
  const FeatureSplit& rows = *features.store.split("train");
  const TeacherPart part = teacher_part(needs, control);
  if (file.extension() == ".safetensors") {
    return read_teacher_tensors(file, rows, labels, part, control.host());
  }
  const TeacherStore store = read_teacher_store(file, part, control.host());
  if (store.info.task != features.store.info.task) {
    throw_user_error(file.string(), "holds outputs on " + store.info.task + ", not on " +
                                        features.store.info.task);
  }
  const auto split = store.splits.find("train");
  if (split == store.splits.end())
    throw_user_error(file.string(), "the store holds no training rows");
  check_teacher_matches(store, *split->second, rows, "");
  if (!needs.hidden_layers.empty()) check_hidden_matches(store.info, features.store.info);
  return split->second;
}

// States of another width would be taken for the teacher's.
void check_width(const TeacherSplit& outputs, const StudentRequest& request) {
  const auto teacher = request_shapes(request).teacher;
  const bool states = !outputs.cls_layers.empty() || outputs.hidden;
  if (!states || !teacher || teacher->hidden == outputs.hidden_size) return;
  throw_user_error(request.method->teacher_outputs_file->string(),
                   fmt::format("holds states of width {}, the teacher's are {} wide",
                               outputs.hidden_size, teacher->hidden));
}

// Whose order of labels a file without names has: that of the model that it is said to come from.
std::vector<std::string> unnamed_order(const ModelShapes& shapes) {
  return shapes.teacher ? shapes.teacher->labels : shapes.student.labels;
}

// What the method takes from a file of the user, which may be anybody's. Collective over the host.
std::shared_ptr<const TeacherSplit> outputs_of_file(const StudentRequest& request,
                                                    const TeacherNeeds& needs,
                                                    const Features& features,
                                                    const Control& control) {
  std::vector<std::string> labels;
  control.host().agree([&] { labels = unnamed_order(request_shapes(request)); });
  const auto outputs =
      outputs_from_file(*request.method->teacher_outputs_file, needs, features, labels, control);
  check_width(*outputs, request);
  return outputs;
}

// Collective.
class OutputMaker {
 public:
  OutputMaker(const StudentRequest& request, const Features& features, const Source& source,
              const Workspace& workspace)
      : request_(request), features_(features), source_(source), workspace_(workspace) {
    workspace.control.agree([&] {
      needs_ = student_needs(request);
      stored_needs_ = stored_needs(request, source.kind);
      online_ = runs_online(request);
    });
  }

  SourceOutputs make() {
    if (online_) {
      run_beside();
    } else if (takes_outputs(needs_)) {
      made_.stored = stored(needs_);
    }
    if (needs_.memory.centroids > 0) made_.memory = memory();
    return std::move(made_);
  }

 private:
  void run_beside() {
    made_.model = load_trained_model(source_.model->folder, *request_.task, workspace_);
    workspace_.control.agree([&] {
      made_.online = {made_.model->model.get(), needs_, source_.rows->store.split("train")};
    });
  }

  std::shared_ptr<const TeacherSplit> stored(const TeacherNeeds& own) {
    if (!request_.method->teacher_outputs_file) {
      return ensure_teacher_outputs(*source_.model, *request_.task, stored_needs_, own,
                                    *source_.rows, workspace_);
    }
    std::shared_ptr<const TeacherSplit> outputs;
    workspace_.control.agree(
        [&] { outputs = outputs_of_file(request_, own, features_, workspace_.control); });
    return outputs;
  }

  // The file's, or the stage's.
  FeatureMemory memory() {
    FeatureMemory memory;
    if (!needs_.memory.file.empty()) {
      workspace_.control.agree([&] {
        memory = read_memory(needs_.memory, request_shapes(request_), request_.task->name);
      });
      return memory;
    }
    const StageKey key = key_from_root(workspace_.control, [&] {
      return request_memory_key(request_, features_, source_.model).value();
    });
    return ensure_memory(
        key, needs_.memory, features_, [&] { return memory_states(); }, workspace_);
  }

  MemoryStates memory_states() {
    MemoryStates states;
    const int64_t layer = needs_.memory.layer;
    if (online_) {
      states.hidden_size = made_.model->model->config().hidden;
      workspace_.control.agree([&] {
        states.pass = computed_states(*made_.model, layer, source_.rows->store.split("train"),
                                      workspace_.control);
      });
      return states;
    }
    TeacherNeeds own;
    own.hidden_layers = {layer};
    const auto outputs = stored(own);
    states.hidden_size = outputs->hidden_size;
    workspace_.control.agree([&] {
      states.pass = stored_states(outputs, features_.store.split("train"), workspace_.control);
    });
    return states;
  }

  const StudentRequest& request_;
  const Features& features_;
  const Source& source_;
  const Workspace& workspace_;
  TeacherNeeds needs_, stored_needs_;
  bool online_ = false;
  SourceOutputs made_;
};

}  // namespace

void check_teacher_outputs_file(const StudentRequest& request, const Features& features,
                                ReadFiles& read, const Control& control) {
  if (!request.method->teacher_outputs_file) return;
  TeacherNeeds needs;
  control.host().agree([&] { needs = student_needs(request); });
  needs.hidden_layers = stored_hidden_layers(needs);
  const auto outputs = outputs_of_file(request, needs, features, control);
  make_dataset(features.store.split("train"), request_shapes(request).student.labels, outputs);
  const auto& file = *request.method->teacher_outputs_file;
  if (outputs->hidden && read.emplace(file, needs.hidden_layers).second) {
    outputs->hidden->verify(control.rank(), control.size());
  }
}

void check_memory(const StudentRequest& request, const Features& features) {
  check_memory(student_needs(request).memory, request_shapes(request), request.task->name,
               features.store.split("train")->rows(), "method." + request.method->label);
}

std::optional<StageKey> request_memory_key(const StudentRequest& request, const Features& features,
                                           const Teacher* source) {
  const MemoryNeeds needs = student_needs(request).memory;
  if (needs.centroids == 0 || !needs.file.empty()) return std::nullopt;
  const auto& file = request.method->teacher_outputs_file;
  return memory_key(file ? file_sha256(*file) : source->hash, needs, features);
}

SourceOutputs ensure_source_outputs(const StudentRequest& request, const Features& features,
                                    const Source& source, const Workspace& workspace) {
  return OutputMaker(request, features, source, workspace).make();
}

}  // namespace kdbench
