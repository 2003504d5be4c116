#!/bin/bash
# SPDX-License-Identifier: MIT
# --json: one document on stdout and nothing else, of every verb. json_test.sh KDBENCH JSON_VALUE TEST_DATA MPIEXEC...
set -u
kdbench=$1 json_value=$2 data=$3
shift 3
mpiexec=("$@") # ends with the flag for the number of ranks
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
cd "$folder" || exit 1
quickstart=$(dirname "$0")/../../suite/experiments/quickstart.toml
experiment=("$data/parity/kd-rte/experiment.toml" --set teacher.train.epochs=1)

# answer CODE COMMAND...: with --json; its stdout then in `document`.
answer() {
  local code=$1 found
  shift
  "$@" --json >document 2>errors </dev/null
  found=$?
  [ "$found" = "$code" ] || { problem "$* (exit $found, expected $code)"; cat errors; }
}
# says POINTER VALUE
says() {
  local found
  found=$("$json_value" "$1" <document 2>&1)
  [ "$found" = "$2" ] || problem "$1 is '$found', expected '$2'"
}
# has POINTER: there is something
has() { "$json_value" "$1" <document >/dev/null || problem "nothing at $1"; }

# Every verb has the flag, but the one whose stdout is JSON lines anyway.
for verb in $("$kdbench" --help | sed -n '/^Subcommands:/,$s/^  \([a-z-]*\) .*/\1/p'); do
  [ "$verb" = tokenize ] || expect 0 "--json" "$kdbench" "$verb" --help
done

answer 0 "$kdbench" methods
says /schema_version 1
says /methods/0/name finetune
has /train/0/default
has /architectures/0/presets/0
answer 0 "$kdbench" keys data
says /tables/0/name data
says /tables/0/keys/0/key root
answer 0 "$kdbench" methods kd
says /methods/0/name kd
says /methods/0/needs/0 logits
has /methods/0/keys/0/meaning
answer 2 "$kdbench" methods kdd
[ -s document ] && problem "an error leaves something on stdout"

answer 0 "${mpiexec[@]}" 2 "$kdbench" doctor --out out
says /ready true
says /system/ranks 2
has /findings/0/verdict
has /facts/hosts/0/share
has /system/hosts/0/cpus_of_others
has /build/libtorch

answer 0 "$kdbench" inspect "$quickstart"
says /kind experiment
says /config/data/root synthetic
answer 0 "$kdbench" inspect "$data/models/rte-student/model.safetensors"
says /not_finite 0
has /tensors/0/shape

answer 0 "$kdbench" run "${experiment[@]}" --out out --dry-run --ranks 3
says /experiment kd-rte
says /plan/ranks 3
says /plan/stages/0/reused false
says /config/methods/0/label kd
has /plan/trainings/0/flops
[ -e out ] && problem "a dry run wrote something"
answer 0 "${mpiexec[@]}" 2 "$kdbench" run "${experiment[@]}" --out out --threads 1
says /done 1
says /failed 0
says /runs/0/status done
says /runs/0/role student
says /comparison/rows/1/method kd
says /comparison/rows/1/n 1
run=$("$json_value" /runs/0/folder <document)
model=$("$json_value" /runs/0/model <document)
[ -f "$run/run.json" ] && [ -f "$model/model.safetensors" ] || problem "runs/0 is not where it is said to be"
answer 0 "$kdbench" distill "${experiment[@]}" --out out --threads 1
says /reused 1
answer 0 "$kdbench" finetune "${experiment[@]}" --out out --threads 1
says /runs/0/role teacher
teacher=$("$json_value" /runs/0/model <document)
[ -f "$teacher/model.safetensors" ] || problem "the teacher's model"
answer 1 "$kdbench" run "${experiment[@]}" --out out --threads 1 --set method.kd.train.learning_rate=1e30 --set method.kd.train.warmup=0.0 \
  --set method.kd.train.clip=0
says /failed 1
says /runs/0/status failed
answer 0 "$kdbench" status "${experiment[@]}" --out out
says /schema_version 1
says /stages/0/state done
answer 0 "$kdbench" inspect "$run"
says /kind run
says /run/status done
answer 0 "$kdbench" inspect out
says /kind runs
stage=$(ls -d out/.stages/*/features.h5 | head -1)
answer 0 "$kdbench" inspect "$(dirname "$stage")"
says /kind stage
has /stores/features.h5/splits/0/rows
answer 0 "$kdbench" predict --model "$run" --data "$data/rows" --out out --threads 1
says /predictions/0/task RTE
has /predictions/0/metrics/dev/accuracy
says /predictions/0/status done
answer 0 "$kdbench" export --model "$teacher" --task RTE --data "$data/rows" --max-seq-length 40 --teacher-outputs rte.h5 --out out
says /teacher_outputs/file rte.h5
says /teacher_outputs/splits/0 train
answer 0 "$kdbench" inspect rte.h5
says /kind "teacher store"
answer 0 "$kdbench" prepare --data "$data/rows" --tasks RTE --tokenizer "$data/rows" --out out
says /features/0/task RTE
has /features/0/splits/train/rows
answer 0 "$kdbench" report "$run" --out report
says /report "$folder/report"
says /comparison/rows/0/method kd
answer 2 "$kdbench" glue-zip "$run" --out zip
[ -s document ] && problem "an error leaves something on stdout"
mkdir -p submitted/predictions
printf '{"schema_version": 1, "run_id": "x", "status": "done", "experiment": "e", "task": "RTE", "label": "kd", "method": "kd",
 "role": "student", "seed": 1, "checkpoint": "last", "metrics": {"last": {"dev": {"accuracy": 0.5}}}}\n' >submitted/run.json
awk 'BEGIN { print "index\tprediction"; for (i = 0; i < 3000; ++i) print i "\tentailment" }' >submitted/predictions/RTE-test.tsv
answer 0 "$kdbench" glue-zip submitted --out zip
says /archive "$folder/zip/submission.zip"
says /files/0/name CoLA.tsv

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
