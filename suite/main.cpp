// SPDX-License-Identifier: MIT
#include "suite/verbs/cli.h"

int main(int argc, char** argv) { return kdbench::run_program(argc, argv); }
