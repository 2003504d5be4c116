// SPDX-License-Identifier: MIT
#include "io/stores/teacher_part.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "io/base/error.h"

namespace kdbench {
namespace {

[[noreturn]] void fail_without(const std::string& split, const std::string& states, int64_t layer,
                               const std::vector<int64_t>& held) {
  const std::string what = fmt::format("hold no {} states of layer {}", states, layer);
  throw_user_error("teacher outputs of split " + split, what,
                   held.empty() ? "they have none at all; export them again"
                                : fmt::format("they have layers [{}]; export them again",
                                              fmt::join(held, ", ")));
}

}  // namespace

std::vector<int64_t> columns_of(const std::vector<int64_t>& layers,
                                const std::vector<int64_t>& held, const std::string& split,
                                const std::string& states) {
  std::vector<int64_t> columns;
  for (const int64_t layer : layers) {
    const auto found = std::find(held.begin(), held.end(), layer);
    if (found == held.end()) fail_without(split, states, layer, held);
    columns.push_back(found - held.begin());
  }
  return columns;
}

bool all_in_order(const std::vector<int64_t>& columns, int64_t count) {
  int64_t next = 0;
  for (const int64_t column : columns) {
    if (column != next++) return false;
  }
  return next == count;
}

bool leaves_cls_on_disk(const TeacherSplit& split) {
  return split.cls.empty() && !split.cls_layers.empty() && split.rows() * split.hidden_size > 0;
}

void travel(HostMessage& part, TeacherSplit& split) {
  part(split.name);
  part(split.source_sha256);
  part(split.row_ids);
  part(split.label_order);
  part(split.classes);
  part(split.logits);
  part(split.cls_layers);
  part(split.hidden_size);
  part(split.cls);
  part(split.pooled);
}

}  // namespace kdbench
