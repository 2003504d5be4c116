#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and runs all tests; further arguments go to ctest, e.g. `bash tests/run.sh -L unit`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash suite/bootstrap.sh

# Open MPI: root may start ranks, more ranks than cores are fine, and ranks are not tied to one core each.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
printf '==> Testing\n'
ctest --test-dir build --output-on-failure -j2 "$@"
