#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets and runs each one, as many at a time as there are cores: run.sh [SECONDS [TARGET...]], 20 seconds
# and all of them if not said. What they learned stays in build-fuzz/corpus and is gone on with; an input that fails, in
# build-fuzz/found.
set -euo pipefail
seconds=${1:-20}
shift || true
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! bash tests/fuzz/has_clang.sh; then
  echo "fuzz targets: skipped, no clang++ with OpenMP (Debian: apt-get install clang libomp-dev)"
  exit 0
fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(safetensors glue wordpiece byte_bpe tokenizer_json tagger tagged_corpus model_config run_record report_tables experiment)

cmake --preset fuzz
cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
[ -w /dev/shm ] && export TMPDIR=/dev/shm # the targets write each input to a file
mkdir -p build-fuzz/found
fuzz() {
  mkdir -p "build-fuzz/corpus/$1"
  local log=build-fuzz/found/$1.log
  "build-fuzz/fuzz_$1" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=2048 -timeout=10 \
    -artifact_prefix="build-fuzz/found/$1-" -print_final_stats=1 \
    "build-fuzz/corpus/$1" "tests/fuzz/seeds/$1" >"$log" 2>&1 || { tail -n 60 "$log"; return 1; }
  printf '==> %s, %s s\n%s\n' "$1" "$seconds" "$(grep -E 'number_of_executed_units|average_exec' "$log")"
}
export -f fuzz
export seconds
# Each keeps one core busy. xargs ends with an error where one of them does.
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
