#!/bin/bash
# SPDX-License-Identifier: MIT
# Folders that are lost: --out is removed while a run works in it, TMPDIR takes no files. One clear error, no hang, and
# nothing is made anew without what it held. lost_folders_test.sh KDBENCH MPIEXEC...
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kdbench=$1
shift
launch=("$@" 3)
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"
cd "$folder" || exit 1
# shellcheck source=tests/faults/tiny_run.sh
. "$here/tiny_run.sh"

expect 3 "$folder/none on $(uname -n): takes no files: No such file or directory" \
  env TMPDIR="$folder/none" "$kdbench" doctor

under_way() { ls out/.stages/*.partial/run.partial/events.jsonl >/dev/null 2>&1; }
remove_out() {
  local tries=600
  until under_way || [ $((tries -= 1)) = 0 ]; do sleep 0.02; done
  rm -rf out || rm -rf out # a file may come while it is emptied
}
remove_out &
expect 3 ": No such file or directory" \
  timeout -k 5 60 "${launch[@]}" "$kdbench" run experiment.toml --out out --threads 1 --set teacher.train.epochs=400
wait
[ ! -e out ] || problem "made anew: $(find out -type f)"

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
