#!/bin/bash
# SPDX-License-Identifier: MIT
# hint_test.sh KDBENCH_WITH_HINT README MPIEXEC...: the way through README's "Adding a method", with the program that has the
# method: its keys, its runs on one and on two ranks, the table; and what README quotes stands in the files here.
set -u
kdbench=$1 readme=$2
shift 2
launch=("$@")
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/expect.sh
. "$here/../../support/expect.sh"

expect 0 "needs from the teacher: logits, states of every token" "$kdbench" methods hint
expect 0 "weight of the hint" "$kdbench" methods hint
expect 2 "method hint: teacher_layer: names layer 5, there are 4" "$kdbench" run "$here/hint.toml" --dry-run \
  --set method.hint.teacher_layer=5
expect 0 "hint" "$kdbench" run "$here/hint.toml" --dry-run --ranks 2
for ranks in 1 2; do
  expect 0 "4 runs done" "${launch[@]}" "$ranks" "$kdbench" run "$here/hint.toml" --out "$folder/$ranks" --threads 1 --method hint
done
expect 0 "hint" "$kdbench" report "$folder/2" --out "$folder/report"

# The number of ranks changes losses by rounding only.
losses() { cat "$1"/hint/"$2"-hint-s1-*/events.jsonl | sed -n 's/.*"type":"step".*/&/p' | grep -o '"loss":[^,]*' | cut -d: -f2; }
for task in SST-2 STS-B; do
  steps=$(paste <(losses "$folder/1" $task) <(losses "$folder/2" $task) |
    awk 'NF == 2 && ($1 - $2) ^ 2 < 1e-8 * $1 ^ 2 {n++} END {print n + 0}')
  [ "$steps" = 8 ] || problem "$task: of 8 steps $steps have the same loss on 1 and 2 ranks"
done

# README's blocks of C++ and TOML, line by line.
quoted=$(awk '/^## Adding a method/ {on = 1; next} /^## / {on = 0} on && /^```(cpp|toml)/ {code = 1; next} /^```/ {code = 0}
  on && code && NF && !/^ *(\/\/ )?\.\.\./' "$readme")
[ "$(wc -l <<<"$quoted")" -gt 20 ] || problem "README quotes almost nothing"
while IFS= read -r line; do
  cat "$here"/*.cpp "$here"/*.h "$here"/*.toml | grep -qxF -- "$line" || problem "README quotes what is not there: $line"
done <<<"$quoted"

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0))
