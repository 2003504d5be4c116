#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds and runs all tests; further arguments go to ctest, e.g. `bash tests/run.sh -L unit`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash suite/bootstrap.sh

# For the tests of io/glue_tsv.py alone: they are skipped where it cannot be had.
pyarrow=${KDBENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kdbench}/pyarrow
export PYTHONPATH=$pyarrow${PYTHONPATH:+:$PYTHONPATH}
python3 -c 'import pyarrow' 2>/dev/null ||
  python3 -m pip install --quiet --upgrade --only-binary=:all: --target "$pyarrow" pyarrow==26.0.1 ||
  printf '==> No pyarrow: the tests of io/glue_tsv.py are skipped\n'

# For the tests with label slurm: skipped where Slurm cannot be had, or the script of their cluster is not there.
slurm=(slurm-wlm munge iproute2)
testbed=${KDBENCH_SHARED:-../shared}/slurm-testbed/slurm-testbed.sh
if [ -f "$testbed" ] && [ "$(id -u)" = 0 ] && ! { command -v slurmctld && command -v munged && command -v ip; } >/dev/null; then
  apt-get install -y -q --no-install-recommends "${slurm[@]}" >/dev/null ||
    { apt-get update -q && apt-get install -y -q --no-install-recommends "${slurm[@]}" >/dev/null; } ||
    printf '==> No Slurm: the tests with label slurm are skipped\n'
fi

# shellcheck source=suite/openmpi.sh
. suite/openmpi.sh
printf '==> Testing\n'
ctest --test-dir build --output-on-failure -j2 "$@"
