#!/bin/bash
# SPDX-License-Identifier: MIT
# run --dry-run from outside: exit codes, and that nothing is written. dry_run_test.sh KDBENCH MPIEXEC...
set -u
kdbench=$1
shift
mpiexec=("$@") # ends with the flag for the number of ranks
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"

mkdir -p "$folder/data/RTE" "$folder/tokenizer"
printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a b c >"$folder/tokenizer/vocab.txt"
for split in train dev; do
  printf 'index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\tb c\ta\tnot_entailment\n2\tc\tc\tentailment\n' \
    >"$folder/data/RTE/$split.tsv"
done
model='architecture = "bert"
layers = 1
hidden = 8
heads = 2
tokenizer = "tokenizer"'
cat >"$folder/experiment.toml" <<END
name = "tiny"
[data]
root = "data"
tasks = ["RTE"]
[teacher]
$model
[teacher.train]
[student]
$model
[train]
batch_size = 2
epochs = 3
[[method]]
name = "kd"
END
before=$(find "$folder" -type f -exec sha256sum {} + | sort)

# No file is changed or made.
check_after() {
  if [ "$(find "$folder" -type f -exec sha256sum {} + | sort)" != "$before" ] || [ -e "$folder/out" ]; then
    problem "$* wrote something"
    find "$folder"
  fi
}

dry=("$kdbench" run "$folder/experiment.toml" --out "$folder/out" --dry-run)
expect 0 "On each of 1 rank" "${dry[@]}"
expect 0 "On each of 3 ranks" "${dry[@]}" --ranks 3
expect 0 "at least 98 of 100 ranks have no rows" "${dry[@]}" --ranks 100
expect 0 "On each of 2 ranks" "${mpiexec[@]}" 2 "${dry[@]}"
expect 0 "On each of 5 ranks" "${mpiexec[@]}" 2 "${dry[@]}" --ranks 5
expect 0 "epochs = 1" "${dry[@]}" --set train.epochs=1
expect 2 "--ranks: belongs to --dry-run" "$kdbench" run "$folder/experiment.toml" --out "$folder/out" --ranks 2
expect 2 "--ranks" "${dry[@]}" --ranks 0
expect 2 "--device cuda: " env CUDA_VISIBLE_DEVICES= "${dry[@]}" --device cuda
expect 2 "no file" "${dry[@]}" --set 'data.tasks=["MRPC"]'
expect 2 "RTE has no metric 'f1'" "${mpiexec[@]}" 2 "${dry[@]}" --set teacher.train.best_metric=f1

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
