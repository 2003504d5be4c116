#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Jobs that are killed at random moments, or asked to stop, on 1 to 3 ranks, by all methods and stages, with checkpoints: none
# hangs, and the one that comes to the end leaves the undisturbed result, bit for bit.
# kills_test.sh KDBENCH TEST_DATA MPIEXEC...; KDBENCH_KILLS (20): how many, KDBENCH_KILL_SEED (1): which.
# Of three ends one is a SIGKILL of a rank, one of the whole job, one a SIGUSR1 to the launcher.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kdbench=$(realpath "$1") data=$(realpath "$2")
shift 2
launch=("$@")
kills=${KDBENCH_KILLS:-20}
RANDOM=${KDBENCH_KILL_SEED:-1}
patience=60 # seconds that a job may take once it is disturbed
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
mkdir tmp
export TMPDIR=$folder/tmp OMPI_MCA_btl_vader_backing_directory=$folder/tmp # what killed jobs of Open MPI leave
# shellcheck source=tests/kills/every_method.sh
. "$here/every_method.sh"

declare -A seen=([rank]=0 [job]=0 [stop]=0 [late]=0 [hung]=0 [wrong]=0) longest
failed() {
  echo "FAILED: kill $count, $ranks ranks, seed ${KDBENCH_KILL_SEED:-1}: $1"
  tail -n 30 said
}
now() { date +%s%3N; }
# start OUT: a job of $ranks in the background, $job its launcher.
start() {
  "${launch[@]}" "$ranks" "$kdbench" run experiment.toml --out "$1" --threads 1 --set train.checkpoint_steps=3 \
    >said 2>&1 </dev/null &
  job=$!
}
# The processes of the ranks.
rank_processes() { pgrep -P "$job"; }
# ended SECONDS: waits for the job; its exit code is in $code.
ended() {
  local end=$(($(now) + $1 * 1000))
  while kill -0 "$job" 2>/dev/null; do
    [ "$(now)" -lt $end ] || return 1
    sleep 0.02
  done
  wait "$job"
  code=$?
}
# The undisturbed result on $ranks; how long it took, in ms, is in longest[$ranks].
expected() {
  [ -f "expected.$ranks" ] && return
  local begin
  begin=$(now)
  start "undisturbed.$ranks"
  ended 300 && [ "$code" = 0 ] || { count=0 failed "undisturbed"; exit 1; }
  longest[$ranks]=$(($(now) - begin))
  result "undisturbed.$ranks" >"expected.$ranks"
  [ "$(grep -c 'events.jsonl$' "expected.$ranks")" -ge 12 ] || { count=0 failed "too few runs"; exit 1; }
  rm -rf "undisturbed.$ranks"
}

count=0
while [ $count -lt "$kills" ]; do
  ranks=$((1 + RANDOM % 3))
  expected
  rm -rf out
  # Jobs on the same folder until one comes to the end, the first of them disturbed.
  disturbed=$((3 + RANDOM % 6))
  for ((attempt = 0; ; attempt++)); do
    start out
    if [ $attempt -ge $disturbed ] || [ $count -ge "$kills" ]; then
      ended 300 || { failed "the last job does not end"; seen[hung]=$((seen[hung] + 1)); kill -KILL "$job" $(rank_processes); }
      break
    fi
    # At any moment of an undisturbed job, the sooner ones more often.
    moment=$((RANDOM * RANDOM % longest[$ranks] * (RANDOM % 1000) / 1000))
    sleep "$((moment / 1000)).$(printf '%03d' $((moment % 1000)))"
    kill -0 "$job" 2>/dev/null || { ended 1; seen[late]=$((seen[late] + 1)); break; }
    count=$((count + 1))
    processes=($(rank_processes))
    case $((RANDOM % 3)) in
      0)
        kind=rank
        [ ${#processes[@]} -gt 0 ] && kill -KILL "${processes[RANDOM % ${#processes[@]}]}" 2>/dev/null
        ;;
      1)
        kind=job
        kill -KILL "$job" "${processes[@]}" 2>/dev/null
        ;;
      2)
        kind=stop
        kill -USR1 "$job" 2>/dev/null
        ;;
    esac
    seen[$kind]=$((seen[$kind] + 1))
    begin=$(now)
    if ! ended $patience; then
      seen[hung]=$((seen[hung] + 1))
      failed "did not end within $patience s of a $kind"
      kill -KILL "$job" $(rank_processes)
      ended 5
    fi
    [ -z "${KDBENCH_KILLS_SHOW:-}" ] || echo "$count: $ranks ranks, $kind after $moment ms: exit code $code, $(($(now) - begin)) ms"
    [ "$code" = 0 ] && break
  done
  if [ "$code" != 0 ]; then
    failed "the last job ends with code $code"
  elif [ -n "$(half_made out)" ]; then
    failed "half-made: $(half_made out)"
  elif ! result out | cmp -s - "expected.$ranks"; then
    failed "another result"
    diff <(result out) "expected.$ranks"
  elif ! "$kdbench" inspect out >inspected 2>&1; then
    failed "inspect: $(cat inspected)"
  else
    continue
  fi
  seen[wrong]=$((seen[wrong] + 1))
done
echo "$count disturbed jobs: ${seen[rank]} by a rank's end, ${seen[job]} by the job's, ${seen[stop]} by SIGUSR1; ${seen[late]} jobs" \
  "were sooner; ${seen[hung]} hung, ${seen[wrong]} were wrong"
[ "${seen[hung]}" = 0 ] && [ "${seen[wrong]}" = 0 ]
