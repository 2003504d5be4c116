#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What reads files (io, the experiment file, reports) under the sanitizers of addresses and undefined behaviour, with the
# standard library's own checks. Further arguments go to ctest. With clang the libraries are those of the fuzz targets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=suite/openmpi.sh
. suite/openmpi.sh
preset=asan
if bash tests/fuzz/has_clang.sh; then preset=fuzz; fi
cmake --preset $preset
cmake --build --preset $preset --target tests_io tests_config tests_reports
printf '==> Testing under the sanitizers\n'
ctest --preset $preset -L '^(io|config|reports)$' -j2 "$@"
