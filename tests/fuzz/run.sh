#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets and runs each one: run.sh [SECONDS [TARGET...]], 20 seconds and all of them if not said.
# What they learned stays in build-fuzz/corpus and is gone on with; an input that fails, in build-fuzz/found.
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
for target in "${targets[@]}"; do
  printf '==> Fuzzing %s for %s s\n' "$target" "$seconds"
  mkdir -p "build-fuzz/corpus/$target"
  log=build-fuzz/found/$target.log
  "build-fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=2048 -timeout=10 \
    -artifact_prefix="build-fuzz/found/$target-" -print_final_stats=1 \
    "build-fuzz/corpus/$target" "tests/fuzz/seeds/$target" >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
  grep -E 'number_of_executed_units|average_exec' "$log"
done
