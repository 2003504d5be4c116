// SPDX-License-Identifier: MIT
#include "suite/stages/rows/scratch_folder.h"

#include <stdlib.h>

#include <string>

#include "io/base/error.h"

namespace kdbench {

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "kdbench-plan-XXXXXX").string();
  if (!mkdtemp(name.data())) throw_machine_error(name, "cannot be made", "set TMPDIR");
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace kdbench
