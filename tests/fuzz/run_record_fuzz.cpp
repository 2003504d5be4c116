// SPDX-License-Identifier: MIT
// run.json of somebody's results, and all tables that a report makes of it.
#include "reports/comparison.h"
#include "reports/grid.h"
#include "reports/origin.h"
#include "reports/pairing.h"
#include "reports/run_files.h"
#include "reports/run_table.h"
#include "reports/spread.h"
#include "tests/fuzz/fuzz_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const kdbench::fuzz::FuzzFolder folder({"run/run.json"});
  return folder.run(data, size, [] {
    const auto runs = kdbench::read_runs({folder.path()});
    kdbench::write_summary(runs);
    for (const auto& table : {kdbench::comparison_table, kdbench::paired_table, kdbench::grid_table,
                              kdbench::spread_table, kdbench::run_table, kdbench::not_done_table,
                              kdbench::origin_table}) {
      kdbench::write_markdown(table(runs));
      kdbench::write_csv(table(runs));
    }
  });
}
