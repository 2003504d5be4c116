// SPDX-License-Identifier: MIT
// The rows are written anew: files of `augment`, of `join` and of the user then are the same to
// all who read them, whatever their further columns.
#include <limits>

#include "io/base/look.h"
#include "io/base/partial_file.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/tasks/own_task.h"
#include "suite/stages/rows/transfer_stage.h"
#include "suite/transfer/set_file.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// A folder has one of each task.
fs::path file_of(const fs::path& given, const Task& task) {
  return is_folder(given) ? given / (task.name + ".tsv") : given;
}

nlohmann::json write_rows(const fs::path& from, const Task& task, const fs::path& to) {
  const FileLayout layout = set_layout(task);
  FileLayout read;
  read.names = {layout.names.text_a, layout.names.text_b, ""};
  PartialFile file(to);
  std::string lines = set_header(layout) + "\n";
  int64_t index = 0;
  const int64_t left_out = read_row_windows(
      from, task, read, 0, std::numeric_limits<int64_t>::max(), [&](std::vector<GlueRow> rows) {
        for (const auto& row : rows) {
          const std::string text = task.pair() ? row.text_a + "\t" + row.text_b : row.text_a;
          add_set_row(layout, index++, text, lines);
        }
        file.write(lines.data(), lines.size());
        lines.clear();
      });
  file.write(lines.data(), lines.size());
  file.commit();
  return {{"kind", "file"}, {"left_out", left_out}};
}

}  // namespace

SetMaker file_set_maker(StageContext& context, const Task& task) {
  const fs::path file = file_of(*context.experiment.transfer->file, task);
  SetMaker maker;
  maker.kind = transfer_kind::kFile;
  maker.inputs = [file, &task] {
    nlohmann::json inputs{{"kind", "file"}, {"task", task.name}, {"file", file_sha256(file)}};
    if (task.own) inputs["declaration"] = declaration(task);
    return inputs;
  };
  maker.write = [file, &task](const fs::path& to, const Workspace& workspace) {
    nlohmann::json record;
    workspace.control.on_root([&] {
      record = write_rows(file, task, to);
      record["file"] = utf8_text(file.string());
    });
    return record;
  };
  return maker;
}

}  // namespace kdbench
