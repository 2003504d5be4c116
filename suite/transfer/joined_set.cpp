// SPDX-License-Identifier: MIT
#include "suite/transfer/joined_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "io/base/partial_file.h"
#include "io/base/text.h"
#include "suite/transfer/set_file.h"

namespace kdbench {
namespace {

constexpr size_t kBuffer = 1 << 20;

std::string label_of(const float* logits, const Task& task) {
  if (task.regression()) {
    return fmt::format("{}", std::clamp(logits[0], static_cast<float>(task.scores.low),
                                        static_cast<float>(task.scores.high)));
  }
  const auto best = std::max_element(logits, logits + task.classes()) - logits;
  return task.labels[static_cast<size_t>(best)];
}

}  // namespace

std::string joined_header(const Task& task) {
  const FileLayout layout = set_layout(task);
  std::string header = layout.names.text_a;
  if (layout.text_b >= 0) header += "\t" + layout.names.text_b;
  const std::string& label = task.splits.front().layout.names.label;  // CoLA's file names none
  header += "\t" + (label.empty() ? "label" : label);
  for (int i = 0; i < task.classes(); ++i) header += fmt::format("\tlogits_{}", i);
  return header;
}

void write_joined_set(const GlueFile& rows, const RowLogits& logits, const Task& task,
                      const std::filesystem::path& path) {
  PartialFile file(path);
  std::string lines = joined_header(task) + "\n";
  const float* values = logits.values.data();
  for (const GlueRow& row : rows.rows) {
    lines += row.text_a;
    if (task.pair()) lines.append("\t").append(row.text_b);
    lines.append("\t").append(label_of(values, task));
    for (int64_t k = 0; k < logits.classes; ++k)
      fmt::format_to(std::back_inserter(lines), "\t{}", values[k]);
    lines += '\n';
    values += logits.classes;
    if (lines.size() < kBuffer) continue;
    file.write(lines.data(), lines.size());
    lines.clear();
  }
  file.write(lines.data(), lines.size());
  file.commit();
}

}  // namespace kdbench
