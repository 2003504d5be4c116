#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From nothing to a table of results: installs, builds the program, runs suite/experiments/quickstart.toml on 2 ranks and
# writes the report. A second call reuses the build and every finished run.
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'END'
usage: bash suite/quickstart.sh [--out DIR]

  --out DIR   folder of the results (default: results in the root of the repository)

Needs no data: the two corpora are generated. Environment: as of suite/bootstrap.sh.
END
}

say() { printf '==> %s\n' "$*"; }
fail() { printf 'quickstart: %s\n' "$*" >&2; exit 2; }

main() {
  local out='' status=0
  while [ $# -gt 0 ]; do
    case $1 in
      --out) out=$(realpath -m -- "${2:-}") || fail "--out needs a folder"; shift 2 ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; fail "unknown argument: $1" ;;
    esac
  done
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  out=${out:-results}
  bash suite/bootstrap.sh --program
  # shellcheck source=suite/openmpi.sh
  . suite/openmpi.sh
  say "Running suite/experiments/quickstart.toml on 2 ranks"
  # mpirun says of both "1", as of failed runs.
  trap 'say "Interrupted: the next call goes on"; exit 130' INT
  trap 'say "Stopped: the next call goes on"; exit 143' TERM
  # Exit status 1: some runs failed; the report shows which.
  mpirun -n 2 build/kdbench run suite/experiments/quickstart.toml --out "$out" || status=$?
  [ "$status" -le 1 ] && [ -d "$out/quickstart" ] || exit "$status"
  say "Writing the report"
  # Its last line names the folder; the table is the one above.
  build/kdbench report "$out/quickstart" --out "$out/quickstart-report" | tail -n 1
  exit "$status"
}

main "$@"
