// SPDX-License-Identifier: MIT
// What CMake knows of this build. In a source of its own: the commit changes often, and only this
// small one is compiled again.
#pragma once

namespace kdbench {

struct BuildFacts {
  const char* version;
  const char* build_type;
  const char* cxx_flags;
  const char* git_commit;  // "unknown" outside a git repository
  bool git_clean;          // no changes to the commit
};

BuildFacts build_facts();

}  // namespace kdbench
