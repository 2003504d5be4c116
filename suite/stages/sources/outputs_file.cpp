// SPDX-License-Identifier: MIT
#include "suite/stages/sources/outputs_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/stand_in.h"
#include "suite/stages/sources/teacher_outputs.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const TeacherSplit> outputs_from_file(
    const fs::path& file, const TeacherNeeds& needs, const FeatureStoreInfo& info,
    const FeatureSplit& rows, const std::vector<std::string>& labels, const Control& control) {
  refuse_stand_in(file);
  TeacherPart part = teacher_part(needs, rows.name, control);
  const bool transfer = rows.name == kTransferSplit;
  if (transfer) part.split = std::nullopt;  // `export` has read the set as a test split
  if (file.extension() == ".safetensors") {
    return read_teacher_tensors(file, rows, labels, part, control.host());
  }
  const TeacherStore store = read_teacher_store(file, part, control.host());
  if (store.info.task != info.task) {
    throw_user_error(file.string(),
                     "holds outputs on " + store.info.task + ", not on " + info.task);
  }
  const auto split = std::find_if(store.splits.begin(), store.splits.end(), [&](const auto& entry) {
    return transfer ? entry.second->source_sha256 == rows.source_sha256 : entry.first == rows.name;
  });
  if (split == store.splits.end()) {
    throw_user_error(file.string(), transfer ? "the store holds no outputs on this transfer set"
                                             : "the store holds no training rows");
  }
  check_teacher_matches(store, *split->second, rows, "");
  if (!needs.hidden_layers.empty()) check_hidden_matches(store.info, info);
  return split->second;
}

// States of another width would be taken for the teacher's.
void check_width(const TeacherSplit& outputs, const ResolvedMethod& method) {
  const auto& teacher = method.shapes.teacher;
  const bool states = !outputs.cls_layers.empty() || outputs.hidden;
  if (!states || !teacher || teacher->hidden == outputs.hidden_size) return;
  throw_user_error(method.settings->teacher_outputs_file->string(),
                   fmt::format("holds states of width {}, the teacher's are {} wide",
                               outputs.hidden_size, teacher->hidden));
}

// Whose order of labels a file without names has: that of the model that it is said to come from.
std::vector<std::string> unnamed_order(const ModelShapes& shapes) {
  return shapes.teacher ? shapes.teacher->labels : shapes.student.labels;
}

}  // namespace

std::shared_ptr<const TeacherSplit> read_outputs_file(const ResolvedMethod& method,
                                                      const TeacherNeeds& needs,
                                                      const FeatureStoreInfo& info,
                                                      const FeatureSplit& rows,
                                                      const Control& control) {
  const auto outputs = outputs_from_file(*method.settings->teacher_outputs_file, needs, info, rows,
                                         unnamed_order(method.shapes), control);
  check_width(*outputs, method);
  return outputs;
}

}  // namespace kdbench
