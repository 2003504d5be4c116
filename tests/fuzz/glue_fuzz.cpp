// SPDX-License-Identifier: MIT
// GLUE's files. An input's first byte chooses the task, since columns and labels differ.
#include "io/tasks/glue.h"
#include "tests/fuzz/fuzz_folder.h"

namespace {

const std::vector<std::string> kTasks{"CoLA",  "SST-2", "MRPC", "QQP",
                                      "STS-B", "MNLI",  "QNLI", "RTE"};

// The one file stands below every task's name.
class GlueFolder : public kdbench::fuzz::FuzzFolder {
 public:
  GlueFolder() : FuzzFolder({"train.tsv"}) {
    for (const auto& task : kTasks) {
      std::filesystem::create_directory(*this / task);
      std::filesystem::create_symlink("../train.tsv", *this / task / "train.tsv");
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const GlueFolder folder;
  if (size == 0) return 0;
  const auto& task = kdbench::find_task(kTasks[data[0] % kTasks.size()]);
  return folder.run(data + 1, size - 1, [&] { kdbench::read_glue(folder.path(), task, "train"); });
}
