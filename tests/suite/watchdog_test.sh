#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# watchdog_test.sh HELPER MPIEXEC...: a rank that is stopped, or that works without end while others wait for it, ends the job
# soon after the patience of 2 s with one message that names it, its host and what it was at; one that is late does not.
set -u
helper=$1
shift
launch=("$@")
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
host=$(uname -n)
failures=0

# expect CODE PATTERN RANKS ARGUMENTS...: exit code, and one line of stderr that holds PATTERN (none for "").
expect() {
  local code=$1 pattern=$2 ranks=$3 status start=$SECONDS
  shift 3
  timeout -k 5 60 "${launch[@]}" "$ranks" "$helper" "$@" 2>"$errors" </dev/null
  status=$?
  local lines
  lines=$(grep -c '^kdbench: ' "$errors")
  if [ "$status" != "$code" ] || [ $((SECONDS - start)) -gt 20 ] || [ "$lines" != "$([ -n "$pattern" ] && echo 1 || echo 0)" ] ||
    { [ -n "$pattern" ] && ! grep -q -- "$pattern" "$errors"; }; then
    echo "FAILED: $* on $ranks ranks: exit code $status (expected $code) after $((SECONDS - start)) s"
    cat "$errors"
    failures=$((failures + 1))
  fi
}

: >"$errors"
for ranks in 2 3; do
  last=$((ranks - 1))
  for who in 0 $last; do
    expect 3 "rank $who of $ranks on $host is at counting sheep for [23] s while rank [0-9] of $ranks on $host waits for it in counting sheep: MPI_Barrier" \
      "$ranks" loop $who
    expect 3 "rank $who of $ranks on $host gives no sign of life for [23] s (stopped, or cut off?); it was at counting sheep" "$ranks" stop $who
  done
done
expect 0 "" 3 late 1
expect 0 "" 1 late 0
expect 0 "" 3 none 9
[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0))
