// SPDX-License-Identifier: MIT
// kdbench with one more method, from outside its list.
#include "methods/registry.h"
#include "suite/verbs/cli.h"
#include "tests/methods/example/hint.h"

int main(int argc, char** argv) {
  kdbench::add_method(kdbench::hint_entry());
  return kdbench::run_program(argc, argv);
}
