#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What reads files (io, the experiment file, reports) under the sanitizers of addresses and undefined behaviour, with the
# standard library's own checks. Further arguments go to ctest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=suite/openmpi.sh
. suite/openmpi.sh
cmake --preset asan -DKDBENCH_BENCHMARKS=OFF
cmake --build --preset asan --target tests_io tests_config tests_reports
printf '==> Testing under the sanitizers\n'
ctest --preset asan -L '^(io|config|reports)$' -j2 "$@"
