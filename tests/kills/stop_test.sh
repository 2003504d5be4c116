#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A job that is asked to stop saves, says so once, ends with 75, and the same command goes on to the same bits; damaged
# checkpoints are found. stop_test.sh RANKS KDBENCH TEST_DATA MPIEXEC...
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ranks=$1 kdbench=$2 data=$3
shift 3
launch=("$@")
# shellcheck source=tests/support/expect.sh
. "$here/../support/expect.sh"
cd "$folder" || exit 1
mkdir tmp
export TMPDIR=$folder/tmp OMPI_MCA_btl_vader_backing_directory=$folder/tmp
# shellcheck source=tests/kills/every_method.sh
. "$here/every_method.sh"
experiment=$data/parity/kd-rte/experiment.toml
case $ranks in
  1) kd() { timeout 120 "$kdbench" "$@"; } ;;
  *) kd() { timeout 120 "${launch[@]}" "$ranks" "$kdbench" "$@"; } ;;
esac
# wait_for COMMAND...: until it succeeds, at most 60 s.
wait_for() {
  local tries=1200
  until "$@"; do
    tries=$((tries - 1))
    [ $tries = 0 ] && { problem "waited in vain for: $*"; return 1; }
    sleep 0.05
  done
}
# begin LOG ARGUMENTS...: a job in the background, $job its first process (no timeout around it: it would take the signal).
begin() {
  local log=$1
  shift
  if [ "$ranks" = 1 ]; then
    "$kdbench" "$@" >"$log" 2>&1 </dev/null &
  else
    "${launch[@]}" "$ranks" "$kdbench" "$@" >"$log" 2>&1 </dev/null &
  fi
  job=$!
}
# expect_stopped LOG: the job ends with 75, and says so once.
expect_stopped() {
  wait "$job"
  local code=$?
  [ $code = 75 ] || { problem "exit code $code, not 75"; cat "$1"; }
  [ "$(grep -c '^kdbench: .*stopped' "$1")" = 1 ] || { problem "not one line says that it stopped"; cat "$1"; }
}
long=(run "$experiment" --threads 1 --set train.epochs=400 --set train.checkpoint_steps=50)
kept() { ls "$1"/kd-rte/*.checkpoint/*.safetensors >/dev/null 2>&1; }
two_kept() { [ "$(ls "$1"/kd-rte/*.checkpoint/*.safetensors 2>/dev/null | wc -l)" = 2 ]; }

expect 0 "1 runs done" kd "${long[@]}" --out undisturbed
result undisturbed >expected
[ "$(grep -c events.jsonl expected)" -ge 1 ] || problem "no result: $(cat expected)"

# ---- a signal in training; each of the three, and one that is chosen
for signal in USR1 TERM INT USR2; do
  # mpirun itself ends of TERM and INT, and its ranks soon after it.
  [ "$ranks" = 1 ] || [ $signal = USR1 ] || continue
  rm -rf out
  begin log "${long[@]}" --out out --stop-signals USR1,TERM,INT,USR2
  wait_for kept out
  kill -$signal "$job"
  expect_stopped log
  grep -q "stopped after step [0-9]* of 2000, by SIG$signal (saved: the same command goes on" log || { problem "$signal: the line"; cat log; }
  grep -q '"status": "stopped"' out/kd-rte/*.partial/run.json || problem "$signal: no status"
  expect 0 "1 runs done" kd "${long[@]}" --out out
  grep -q "goes on after step" <<<"$output" || problem "$signal: begins anew: $output"
  result out | diff - expected || problem "$signal: another result"
  [ -z "$(half_made out)" ] || problem "left: $(half_made out)"
  grep -q '"continued": \[' out/kd-rte/*/run.json || problem "$signal: run.json does not say that it went on"
done

# ---- other ranks: the same up to rounding
rm -rf out
begin log "${long[@]}" --out out
wait_for kept out
kill -USR1 "$job"
expect_stopped log
others=$((ranks % 3 + 1))
output=$(timeout 120 "${launch[@]}" $others "$kdbench" "${long[@]}" --out out 2>&1 </dev/null) || problem "on $others ranks: $output"
grep -q "goes on after step" <<<"$output" || problem "on $others ranks: begins anew: $output"

# ---- damaged checkpoints: the one before, or none
for damaged in 1 2; do
  rm -rf out
  begin log "${long[@]}" --out out
  wait_for two_kept out
  kill -USR1 "$job"
  expect_stopped log
  ls -r out/kd-rte/*.checkpoint/*.safetensors | head -n $damaged | while read -r file; do
    printf x | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc 2>/dev/null
  done
  expect 0 "warning: checkpoint" kd "${long[@]}" --out out
  [ "$(grep -c "is not what was written" <<<"$output")" = $damaged ] || problem "$damaged damaged: $output"
  if [ $damaged = 1 ]; then
    grep -q "goes on after step" <<<"$output" || problem "the one before is not taken: $output"
  else
    grep -q "no good checkpoint: it begins anew" <<<"$output" || problem "not said: $output"
  fi
  result out | diff - expected || problem "$damaged damaged: another result"
done

# ---- outside of training: a job that waits for another one ends at once
rm -rf out
begin first "${long[@]}" --out out
first=$job
wait_for kept out
holder=$(head -n 1 out/.stages/locks/kd-rte-* | cut -d: -f2)
kill -STOP "$holder"
begin second "${long[@]}" --out out
wait_for grep -q "waiting for run" second
start=$SECONDS
kill -USR1 "$job"
expect_stopped second
[ $((SECONDS - start)) -lt 10 ] || problem "it took $((SECONDS - start)) s to stop"
kill -CONT "$holder"
wait "$first" || problem "the other job: $(cat first)"
result out | diff - expected || problem "another result beside a stopped job"

# ---- every method and stage: stopped again and again, soon after each start
expect 0 "0 failed" kd run experiment.toml --threads 1 --out every
result every >expected
for ((jobs = 0; jobs < 40; jobs++)); do
  begin log run experiment.toml --threads 1 --out again
  sleep 1.$((RANDOM % 10))
  kill -USR1 "$job" 2>/dev/null
  wait "$job"
  code=$?
  [ $code = 0 ] && break
  [ $code = 75 ] || { problem "exit code $code"; cat log; }
done
[ $code = 0 ] || expect 0 "0 failed" kd run experiment.toml --threads 1 --out again
result again | diff - expected || problem "every method: another result after $jobs stops"
[ -z "$(half_made again)" ] || problem "left: $(half_made again)"

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0))
