// SPDX-License-Identifier: MIT
// Folders that CMake knows. Their values stand in a generated source of their own and in no macro:
// a path in the command line of a test would hide its object from every other clone's ccache.
#pragma once

namespace kdbench::testing {

extern const char* const kSharedDefault;      // KDBENCH_SHARED of CMake
extern const char* const kExperimentsFolder;  // suite/experiments of the source tree
extern const char* const kTestData;           // tests/data
extern const char* const kOldRecord;          // tests/reports/schema1_run.json

}  // namespace kdbench::testing
