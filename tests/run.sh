#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and runs all tests; further arguments go to ctest, e.g. `bash tests/run.sh -L unit`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash suite/bootstrap.sh

# shellcheck source=suite/openmpi.sh
. suite/openmpi.sh
printf '==> Testing\n'
ctest --test-dir build --output-on-failure -j2 "$@"
