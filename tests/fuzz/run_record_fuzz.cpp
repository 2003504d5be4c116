// SPDX-License-Identifier: MIT
// run.json of somebody's results. The tables that a report makes of it: report_tables.
#include "reports/run_files.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder({"run/run.json"});
  return folder.run(data, size, [] { kdbench::read_runs({folder.path()}); });
}
