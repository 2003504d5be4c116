# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# To be sourced by tests of the program from outside: a folder of their own, and what a command must do.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0
expect_pattern=-F # how grep takes patterns

# Called with the command after each one; a test may define its own.
check_after() { :; }

problem() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND...: the exit code, and in its output (then in $output) a line of stdout or stderr that holds PATTERN.
expect() {
  local code=$1 pattern=$2
  shift 2
  local found
  output=$("$@" 2>&1 </dev/null)
  found=$?
  if [ "$found" != "$code" ] || ! grep -q "$expect_pattern" -- "$pattern" <<<"$output"; then
    problem "$* (exit $found, expected $code with '$pattern')"
    echo "$output"
  fi
  check_after "$@"
}
