#!/bin/bash
# SPDX-License-Identifier: MIT
# Jobs that share an output folder, and the verbs of single stages against `run`.
# stages_test.sh RANKS KDBENCH TEST_DATA MPIEXEC...
set -u
ranks=$1 kdbench=$2 data=$3
shift 3
launch=("$@" "$ranks" "$kdbench")
case=$data/parity/kd-rte
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
kd() { timeout 120 "${launch[@]}" "$@" --threads 1; }
# expect TEXT COMMAND...: succeeds and says TEXT.
expect() {
  local text=$1
  shift
  "$@" >output 2>&1 </dev/null || fail "$* (exit $?)"
  grep -qF -- "$text" output || { fail "$* does not say '$text'"; cat output; }
}
# wait_for COMMAND...: until it succeeds, at most 60 s.
wait_for() {
  local tries=600
  until "$@"; do
    tries=$((tries - 1))
    [ $tries = 0 ] && { fail "waited in vain for: $*"; return 1; }
    sleep 0.1
  done
}
lines() { cat "${@:2}" | grep -cF -- "$1"; }
losses() { sed 's/"step_s":[^,}]*//; /"type":"evaluation"/d' "$1"/events.jsonl; }

# --- Two jobs at the same time: everything is made once, both end with all results.
kd run "$case/experiment.toml" --out both --set train.seeds=[1,2,3] >first.log 2>&1 </dev/null &
kd run "$case/experiment.toml" --out both --set train.seeds=[1,2,3] >second.log 2>&1 </dev/null &
wait -n || fail "one of two jobs"
wait -n || fail "one of two jobs"
[ "$(lines "RTE: preparing features" first.log second.log)" = 1 ] || fail "features were made twice"
[ "$(lines "storing the teacher's outputs" first.log second.log)" = 1 ] || fail "outputs were made twice"
done_runs=$(($(sed -n 's/^\([0-9]*\) runs done.*/\1/p' first.log second.log | paste -sd+)))
[ "$done_runs" = 3 ] || fail "3 runs were made $done_runs times"
[ "$(find both/kd-rte -name run.json | wc -l)" = 4 ] || fail "4 run folders: $(ls both/kd-rte)"
[ -z "$(find both -name '*.partial')" ] || fail "half-made: $(find both -name '*.partial')"

# --- They share the runs: what another one is making is left for later.
shared=(run "$case/experiment.toml" --out both --set train.epochs=20 --set train.seeds=[1,2,3,4,5,6,7,8])
kd "${shared[@]}" >first.log 2>&1 </dev/null &
kd "${shared[@]}" >second.log 2>&1 </dev/null &
wait -n || fail "one of two jobs that share"
wait -n || fail "one of two jobs that share"
for log in first.log second.log; do
  made=$(sed -n 's/^\([0-9]*\) runs done.*/\1/p' $log)
  [ "${made:-0}" -ge 2 ] || { fail "one of two jobs made ${made:-0} of 8 runs"; cat $log; }
done
done_runs=$(($(sed -n 's/^\([0-9]*\) runs done.*/\1/p' first.log second.log | paste -sd+)))
[ "$done_runs" = 8 ] || fail "8 runs were made $done_runs times"
# All others are made while one is being made elsewhere, which is said once.
runs() { find both/kd-rte -maxdepth 1 -name 'RTE-kd-s*' | sort; }
first_run=$(basename "$(runs | tail -n 1)")
rm -r $(runs)
exec 7>"both/.stages/locks/kd-rte-$first_run"
flock 7
echo "elsewhere:17" >&7
kd "${shared[@]}" >first.log 2>&1 </dev/null 7>&- &
wait_for grep -q "waiting for run RTE kd seed . ($first_run), being made by elsewhere:17" first.log
[ "$(find both/kd-rte -path '*kd-s*' -name run.json | wc -l)" = 7 ] || fail "the others come first: $(runs)"
exec 7>&-
wait $! || fail "the job that waited"
[ "$(lines "waiting for " first.log)" = 1 ] || { fail "waits once"; cat first.log; }

# --- A job that dies while it makes the teacher: the waiting one removes what it left and makes it.
long=(run "$case/experiment.toml" --out killed --set teacher.train.epochs=60)
kd "${long[@]}" >first.log 2>&1 </dev/null &
first=$!
half_made() { ls killed/.stages/*.partial/run.partial/run.json >/dev/null 2>&1; }
wait_for half_made
stage=$(basename "$(ls -d killed/.stages/*.partial)" | cut -d. -f1)
holder=$(head -n 1 "killed/.stages/locks/$stage" | cut -d: -f2)
kill -STOP "$holder" # it must not end before the other one waits
kd "${long[@]}" >second.log 2>&1 </dev/null &
second=$!
wait_for grep -qF "waiting for teacher RTE seed 1 ($stage), being made by $(uname -n):" second.log
kill -KILL "$holder"
wait $first && fail "the killed job succeeded"
wait $second || { fail "the waiting job (exit $?)"; cat second.log; }
[ "$(lines "waiting for " second.log)" = 1 ] || fail "the waiting is said once"
[ -f "killed/.stages/$stage/stage.json" ] || fail "the stage was not made again"
[ -z "$(find killed -name '*.partial')" ] || fail "half-made: $(find killed -name '*.partial')"

# --- Single stages make what `run` takes over.
expect "model in $folder/single/.stages/" \
  kd finetune "$case/experiment.toml" --out single --set teacher.train.epochs=1 --tasks RTE
teacher=$(sed -n 's/^RTE seed 1: model in //p' output)
expect "1 runs done, 0 reused, 0 failed" \
  kd distill "$case/experiment.toml" --out single --set teacher.train.epochs=1 --method kd --seeds 1
expect "0 runs done, 1 reused, 0 failed" \
  kd run "$case/experiment.toml" --out single --set teacher.train.epochs=1
[ "$(find single/kd-rte -name run.json | wc -l)" = 2 ] || fail "2 run folders: $(ls single/kd-rte)"

# --- predict on a run's model: the run's own files, byte for byte.
run=$(echo single/kd-rte/RTE-kd-*)
expect "RTE dev:  accuracy" \
  kd predict --model "$run/model" --tasks RTE --data "$data/rows" --max-seq-length 40 --out single
predicted=$(echo single/predict/RTE-predict-*)
for file in "$run"/predictions/*; do
  cmp "$file" "$predicted/predictions/$(basename "$file")" || fail "predict: $file"
done
[ "$(ls "$predicted")" = "$(printf '%s\n' events.jsonl predictions run.json)" ] || fail "predict leaves $(ls "$predicted")"
expect "predictions and logits in $folder/$predicted" \
  kd predict --model "$run/model" --tasks RTE --data "$data/rows" --max-seq-length 40 --out single
[ "$(ls single/predict | wc -l)" = 1 ] || fail "a finished prediction is not reused"
without_training=0
for store in single/.stages/*/features.h5; do
  "$kdbench" inspect "$store" | grep -q '^train' || without_training=$((without_training + 1))
done
[ $without_training = 1 ] || fail "predict needs no training rows: $without_training stores without them"

# --- export: the store that `run` makes; a student that reads it has the same losses.
expect "rte.h5: outputs of" kd export --model "$teacher" --task RTE --data "$data/rows" \
  --max-seq-length 40 --teacher-outputs rte.h5 --out single
cmp rte.h5 single/.stages/*/teacher.h5 || fail "export differs from the stage"
expect "1 runs done" kd run "$case/experiment.toml" --out file --set "method.kd.teacher_outputs=rte.h5"
diff <(losses "$run") <(losses file/kd-rte/RTE-kd-*) || fail "other losses with the exported store"
expect "rows.h5: outputs of" kd export --model "$teacher" --task RTE --data "$data/rows" \
  --max-seq-length 40 --teacher-outputs rows.h5 --splits train,dev --cls-layers 2,4 --pooled \
  --hidden-layers 1,3 --store-dtype float16 --out single
expect "store_dtype float16" "$kdbench" inspect rows.h5
[ "$(awk '$1 == "dev" || $1 == "train" { print $4, $6, $8 }' output | sort -u)" = "2,4 yes 1,3" ] ||
  { fail "layers and pooled states"; cat output; }

# --- export of a memory of features: by itself, and no more centroids than rows.
memory=(export --model "$teacher" --task RTE --data "$data/rows" --max-seq-length 40 --memory-layer 3 --out single)
expect "memory.safetensors: 4 centroids of layer 3 of" kd "${memory[@]}" --memory memory.safetensors --centroids 4
expect "teacher  Float  (4, " "$kdbench" inspect memory.safetensors
kd "${memory[@]}" --memory more.safetensors --centroids 4000 >output 2>&1 && fail "4000 centroids of 36 rows"
grep -q "a memory of 4000 centroids needs as many training rows" output || { fail "the reason"; cat output; }

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
