#!/bin/bash
# SPDX-License-Identifier: MIT
# The program from outside: exit codes and what is printed. cli_test.sh KDBENCH [SHARED]
set -u
kdbench=$1
shared=${KDBENCH_SHARED:-${2:-}}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

# expect CODE PATTERN COMMAND...: the exit code, and a line of stdout or stderr that holds PATTERN.
expect() {
  local code=$1 pattern=$2
  shift 2
  "$@" >"$folder/output" 2>&1 </dev/null
  local found=$?
  if [ "$found" != "$code" ] || ! grep -qF -- "$pattern" "$folder/output"; then
    echo "FAILED: $* (exit $found, expected $code with '$pattern')"
    cat "$folder/output"
    failures=$((failures + 1))
  fi
}

expect 0 "kdbench " "$kdbench" --version
expect 0 "tokenize" "$kdbench" --help
expect 0 "--max-length" "$kdbench" tokenize --help
expect 2 "kdbench: 'scale' is not available yet" "$kdbench" scale x.toml --ranks 1,2
expect 2 "did you mean 'tokenize'?" "$kdbench" tokenise
expect 2 "--tokenizer is required" "$kdbench" tokenize
expect 2 "subcommand is required" "$kdbench"
expect 2 "kdbench" "$kdbench" methods --nonsense
expect 0 "a number from 0 to 1" "$kdbench" methods kd
expect 0 "finetune: " "$kdbench" methods
expect 2 "did you mean 'kd'?" "$kdbench" methods kdd
expect 2 "not available yet" "$kdbench" methods pkd
expect 2 "no such file or folder" "$kdbench" inspect "$folder/nothing"
expect 2 "does not exist" "$kdbench" tokenize --tokenizer "$folder/nothing"

printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a b '##c' >"$folder/vocab.txt"
expect_ids() {
  local expected=$1
  shift
  local found
  found=$("$kdbench" tokenize --tokenizer "$folder" "$@" <"$folder/input")
  if [ "$found" != "$expected" ]; then
    echo "FAILED: tokenize $*: $found"
    failures=$((failures + 1))
  fi
}
printf 'a bc\n' >"$folder/input"
expect_ids '{"ids":[5,6,7],"token_type_ids":[0,0,0]}'
expect_ids '{"ids":[2,5,6,7,3],"token_type_ids":[0,0,0,0,0]}' --max-length 8
printf 'a\tbc b\n' >"$folder/input"
expect_ids '{"ids":[2,5,3,6,7,3],"token_type_ids":[0,0,0,1,1,1]}' --max-length 6

if [ -n "$shared" ] && [ -d "$shared/fixtures/parity" ]; then
  case=$shared/fixtures/parity/finetune-rte
  expect 0 '"epochs": 3' "$kdbench" inspect "$case/experiment.toml"
  expect 0 "0 not finite" "$kdbench" inspect "$case/student/model.safetensors"
  head -c 1000 "$case/student/model.safetensors" >"$folder/cut.safetensors"
  expect 2 "cut.safetensors" "$kdbench" inspect "$folder/cut.safetensors"
fi

[ "$failures" = 0 ] && echo "all as expected"
exit "$failures"
