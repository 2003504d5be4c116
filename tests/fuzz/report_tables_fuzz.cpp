// SPDX-License-Identifier: MIT
// The tables of a report. An input's first byte chooses the table; the rest are records, with zero
// bytes between them.
#include "io/base/json_file.h"
#include "reports/comparison.h"
#include "reports/grid.h"
#include "reports/origin.h"
#include "reports/pairing.h"
#include "reports/run_table.h"
#include "reports/spread.h"
#include "tests/fuzz/fuzz_folder.h"

namespace {

using Runs = std::vector<nlohmann::json>;

void make_table(size_t which, const Runs& runs) {
  constexpr kdbench::Table (*kTables[])(const Runs&) = {
      kdbench::comparison_table, kdbench::paired_table, kdbench::grid_table,
      kdbench::spread_table,     kdbench::run_table,    kdbench::not_done_table,
      kdbench::origin_table};
  const kdbench::Table table = kTables[which % std::size(kTables)](runs);
  kdbench::write_console(table);
  kdbench::write_markdown(table);
  kdbench::write_csv(table);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view rest = kdbench::fuzz::text_of_input(data + 1, size - 1);
  return kdbench::fuzz::reads_or_refuses([&] {
    Runs runs;
    while (!rest.empty()) {
      const std::string record(kdbench::fuzz::take_part(rest));
      runs.push_back(kdbench::json_object_of(record, "run.json"));
    }
    make_table(data[0], runs);
  });
}
