// SPDX-License-Identifier: MIT
// make_test_data FOLDER: writes rows, models and expected numbers into the tests' data.
#include <cstdio>

#include "io/base/error.h"
#include "suite/ranks/control.h"
#include "tests/data/make/make.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_test_data FOLDER\n");
    return 2;
  }
  const kdbench::MpiSession session(&argc, &argv);
  try {
    kdbench::make_data::make_rows(argv[1]);
    kdbench::make_data::make_models(argv[1]);
    kdbench::make_data::make_expected(argv[1]);
  } catch (const kdbench::Error& error) {
    std::fprintf(stderr, "make_test_data: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
