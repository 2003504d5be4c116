#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bad_input_test.sh KDBENCH MPIEXEC...: what cannot work ends on one and on two ranks with the contract's exit code and one
# error that names the culprit; nothing hangs, and nothing half-written stands under a final name. All data are made here.
set -euo pipefail
kdbench=$1
shift
launch=("$@")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
good=$folder/good
failures=0

# ---- a tiny experiment: 12 rows of words, a 2-layer teacher of random weights, a student from a model folder

make_data() {
  mkdir -p "$good/data/RTE" "$good/words"
  printf '%s\n' '[PAD]' '[UNK]' '[CLS]' '[SEP]' '[MASK]' a b c d e f g >"$good/words/vocab.txt"
  local header=$'index\tsentence1\tsentence2\tlabel' labels=(entailment not_entailment) words=(a b c d e f g) split i
  for split in train dev; do
    echo "$header"
    for i in {0..11}; do
      printf '%d\t%s\t%s\t%s\n' "$i" "${words[i % 7]} ${words[i * 3 % 7]}" "${words[i * 5 % 7]}" "${labels[i % 2]}"
    done
  done >"$good/both"
  head -n 13 "$good/both" >"$good/data/RTE/train.tsv"
  tail -n +14 "$good/both" >"$good/data/RTE/dev.tsv"
}

make_experiment() {
  cat >"$good/experiment.toml" <<'EOF'
name = "tiny"
[data]
root = "data"
tasks = ["RTE"]
max_seq_length = 12
[teacher]
architecture = "bert"
layers = 2
hidden = 8
heads = 2
tokenizer = "words"
[student]
weights = "student"
[train]
batch_size = 4
epochs = 1
learning_rate = 1e-3
[[method]]
name = "kd"
EOF
  # The student's folder: a model that the program itself has trained.
  sed -e '/^\[teacher\]/,/^tokenizer/d' -e 's/^weights.*/architecture = "bert"\nlayers = 1\nhidden = 8\nheads = 2\ntokenizer = "words"/' \
    -e 's/"kd"/"finetune"/' "$good/experiment.toml" >"$good/first.toml"
  "$kdbench" run "$good/first.toml" --out "$good/first" >/dev/null 2>"$folder/errors" || {
    cat "$folder/errors"
    exit 1
  }
  mv "$good"/first/tiny/*/model "$good/student"
  rm -r "$good/first" "$good/first.toml"
}

# ---- running

problem() {
  echo "FAILED: $1"
  sed 's/^/    /' "$folder/errors"
  failures=$((failures + 1))
}

# start RANKS ARGUMENTS...: runs in $case; the exit code in $status, stderr in $folder/errors.
start() {
  local ranks=$1 command=()
  shift
  ((ranks > 1)) && command=("${launch[@]}" "$ranks")
  status=0
  (cd "$case" && timeout 60 "${command[@]}" "$kdbench" "$@") >"$folder/output" 2>"$folder/errors" </dev/null || status=$?
}

# refused CODE TEXT...: `run` of the case ends with CODE and one error that holds every TEXT, on 1 and 2 ranks.
refused() {
  local code=$1 ranks text name=${case##*/}
  shift
  for ranks in 1 2; do
    start "$ranks" run experiment.toml --out out
    [ "$status" = "$code" ] || problem "$name on $ranks ranks: exit $status, expected $code"
    for text; do
      [ "$(grep -cF -- "$text" "$folder/errors")" = 1 ] || problem "$name on $ranks ranks: not once '$text'"
    done
    if grep -qE 'frame #|terminate called|exception' "$folder/errors"; then problem "$name on $ranks ranks: no user's words"; fi
    [ -z "$(find "$case" -name '*.partial' -o -path '*/tiny/*/run.json')" ] ||
      problem "$name on $ranks ranks: left $(find "$case" -name '*.partial')"
  done
}

# A copy of the experiment to spoil.
fresh() {
  case=$folder/$1
  cp -r "$good" "$case"
}

# ---- the table

make_data
make_experiment

fresh rows
sed -i '3s/\tentailment$/\tmaybe/;3s/\tnot_entailment$/\tmaybe/' "$case/data/RTE/train.tsv"
sed -i '5s/\t[^\t]*$//' "$case/data/RTE/dev.tsv"
refused 2 "train.tsv:3: the label 'maybe' is none of" 'dev.tsv:5: 3 cells instead of 4'

fresh keys
sed -i 's/^epochs.*/epoch = 1/; s/^batch_size.*/batch_size = 0/; s/"kd"/"kdd"/' "$case/experiment.toml"
refused 2 "experiment.toml:16: train.epoch: unknown key" "experiment.toml:15: train.batch_size" "did you mean 'kd'?"

fresh weights
head -c 1500 "$good/student/model.safetensors" >"$case/student/model.safetensors"
refused 2 "student/model.safetensors: "

fresh sizes
sed -i 's/"hidden_size": 8/"hidden_size": 16/' "$case/student/config.json"
sed -i 's/^hidden = 8/hidden = 7/' "$case/experiment.toml"
refused 2 'teacher.heads: does not divide hidden'
sed -i 's/^hidden = 7/hidden = 8/' "$case/experiment.toml"
refused 2 'tensor classifier.weight has shape (2, 8), the model expects (2, 16)'

fresh vocabulary
printf '%s\n' x y z >>"$case/student/vocab.txt"
refused 2 "student: its vocabulary has 15 entries, the model's embedding 12 rows"

fresh outputs
printf '\x44\0\0\0\0\0\0\0{"train_logits":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' >"$case/teacher.safetensors"
printf '0123456789abcdef' >>"$case/teacher.safetensors"
echo 'teacher_outputs = "teacher.safetensors"' >>"$case/experiment.toml"
refused 2 'teacher.safetensors:train_logits: has shape [2, 2]'

fresh place
touch "$case/out"
refused 2 "out is no folder"

# What downloads leave in the place of files, and what nobody may look at (for root a loop of links): all at once.
fresh standins
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 438007537\n' >"$case/student/model.safetensors"
refused 2 "student/model.safetensors: is a Git LFS pointer"
printf '<!DOCTYPE html>\n' >"$case/student/config.json"
refused 2 "student/config.json: is a web page"
ln -s loop "$case/loop"
sed -i 's/^root.*/root = "loop"/; s/^weights.*/weights = "loop"/' "$case/experiment.toml"
refused 2 "data.root: $case/loop: cannot be looked at" "student.weights: $case/loop: cannot be looked at"

# A frozen teacher of another task, and one whose labels have other names.
fresh another
sed -i '/^architecture/,/^tokenizer/d; s/^\[teacher\]/[teacher]\nweights = "teacher"/' "$case/experiment.toml"
cp -r "$case/student" "$case/teacher"
sed -i 's/"not_entailment"/"positive"/; s/"entailment"/"negative"/' "$case/teacher/config.json"
sed -i 's/"label2id"/"unused"/' "$case/teacher/config.json"
refused 2 "teacher: its labels (negative, positive) are not those of RTE (entailment, not_entailment)"
cp "$case/student/config.json" "$case/teacher/config.json"
sed -i '1s/{/{"finetuning_task": "qnli",/' "$case/teacher/config.json"
refused 2 "teacher: was fine-tuned on qnli, not on RTE"

# A finished stage that the disk has damaged.
fresh stage
start 1 run experiment.toml --out out
store=$(ls "$case"/out/.stages/*/features.h5)
rm -r "$case/out/tiny"
printf 'XXXX' | dd of="$store" bs=1 seek="$(grep -abo not_entailment "$store" | head -n 1 | cut -d: -f1)" conv=notrunc status=none
refused 2 "features.h5: is damaged" "(delete ${store%/features.h5}: the next run makes it again)"
rm -r "${store%/features.h5}"
start 1 run experiment.toml --out out
[ "$status" = 0 ] || problem "a stage that was deleted is not made again"

# A full disk, by the limit on a file's size: the store's place cannot be reserved, what MPI needs for itself can.
fresh disk
ulimit -S -f 7000
refused 3 "has no room for"
ulimit -S -f unlimited
(cd "$case" && "$kdbench" inspect experiment.toml >/dev/full 2>"$folder/errors") && problem "output to a full disk is taken for done"
grep -q 'stdout: No space left' "$folder/errors" || problem "output to a full disk: no error"

# ---- what fails or is small without being wrong

# Fewer rows than ranks: empty shares, and the same predictions.
fresh few
sed -i '3,$d' "$case/data/RTE/train.tsv" "$case/data/RTE/dev.tsv"
for ranks in 1 3; do
  start "$ranks" run experiment.toml --out "out$ranks"
  [ "$status" = 0 ] || problem "one row on $ranks ranks: exit $status"
done
cmp -s "$case"/out1/tiny/RTE-kd-*/predictions/RTE-dev.tsv "$case"/out3/tiny/RTE-kd-*/predictions/RTE-dev.tsv ||
  problem "one row: other predictions on 3 ranks than on 1"

# A run that diverges is recorded; the others go on.
fresh diverged
printf 'label = "wild"\n[method.train]\nlearning_rate = 1e30\nepochs = 3\n[[method]]\nname = "finetune"\n' >>"$case/experiment.toml"
start 2 run experiment.toml --out out
[ "$status" = 1 ] || problem "a diverged run: exit $status, expected 1"
grep -q 'not finite' "$case"/out/tiny/RTE-wild-*/run.json || problem "a diverged run: no reason"
grep -q '"status": "done"' "$case"/out/tiny/RTE-finetune-*/run.json || problem "a diverged run stopped the others"

# Divergence in the last step, after which no loss is computed: NaN has no class.
fresh last
printf 'label = "wild"\n[method.train]\nlearning_rate = 1e30\nclip = 0.0\nwarmup = 0.0\nbatch_size = 64\n' >>"$case/experiment.toml"
printf '[[method]]\nname = "finetune"\n' >>"$case/experiment.toml"
for ranks in 1 2; do
  start "$ranks" run experiment.toml --out "out$ranks"
  [ "$status" = 1 ] || problem "a last step that diverges on $ranks ranks: exit $status, expected 1"
  grep -q 'on dev after epoch 1: the logits of row .* not finite' "$case/out$ranks"/tiny/RTE-wild-*/run.json ||
    problem "a last step that diverges on $ranks ranks: no reason"
  grep -q '"status": "done"' "$case/out$ranks"/tiny/RTE-finetune-*/run.json || problem "a last step that diverges stopped the others"
done

# Finite weights whose outputs are not: the teacher's run fails, and its students', not those without it. predict says so too.
fresh overflow
sed -i '/^architecture/,/^tokenizer/d; s/^\[teacher\]/[teacher]\nweights = "teacher"/' "$case/experiment.toml"
printf '[[method]]\nname = "finetune"\n' >>"$case/experiment.toml"
cp -r "$case/student" "$case/teacher"
# The last tensors of the file: all their bytes become 0x7e, floats of 8e37.
size=$(stat -c %s "$case/teacher/model.safetensors")
head -c 4096 /dev/zero | tr '\0' '~' | dd of="$case/teacher/model.safetensors" bs=1 seek=$((size - 4096)) conv=notrunc status=none
start 2 run experiment.toml --out out
[ "$status" = 1 ] || problem "a teacher of infinite outputs: exit $status, expected 1"
grep -q 'its teacher failed' "$case"/out/tiny/RTE-kd-*/run.json || problem "a teacher of infinite outputs: its student did not fail"
grep -q '"status": "done"' "$case"/out/tiny/RTE-finetune-*/run.json || problem "a teacher of infinite outputs stopped the others"
start 1 predict --model teacher --data data --tasks RTE --max-seq-length 12 --out out
[ "$status" = 1 ] || problem "predict with infinite outputs: exit $status, expected 1"
start 1 export --model teacher --data data --task RTE --max-seq-length 12 --teacher-outputs t.h5 --out out
[ "$status" = 1 ] || problem "export of infinite outputs: exit $status, expected 1"

# ---- what a folder says is taken

# A run's folder stands for its model, its task and its length; another task is refused unless asked for.
fresh runs
start 1 run experiment.toml --out out
run=$(echo "$case"/out/tiny/RTE-kd-*)
start 1 predict --model "$run" --data data --out out
[ "$status" = 0 ] || problem "predict --model RUN: exit $status"
cmp -s "$run"/predictions/RTE-dev.tsv "$case"/out/predict/RTE-predict-*/predictions/RTE-dev.tsv ||
  problem "predict --model RUN: other predictions than the run's"
sed 's/sentence1/question/; s/sentence2/sentence/' "$case/data/RTE/dev.tsv" >"$case/dev.tsv"
mkdir "$case/data/QNLI"
mv "$case/dev.tsv" "$case/data/QNLI/dev.tsv"
start 1 predict --model "$run" --data data --tasks QNLI --out out
[ "$status" = 2 ] || problem "predict on another task: exit $status, expected 2"
grep -q 'was trained on RTE, not on QNLI (--any-labels' "$folder/errors" || problem "predict on another task: no reason"
start 1 predict --model "$run" --data data --tasks QNLI --any-labels --out out
[ "$status" = 0 ] || problem "predict --any-labels: exit $status"
grep -q 'it was fine-tuned on RTE, not on QNLI' "$folder/output" || problem "predict --any-labels: does not say what it did"

# A folder that is called like a date or a number, and one whose name is no UTF-8.
fresh names
for name in 2024-05-01 1e3 true; do
  mv "$case/student" "$case/$name"
  start 1 run experiment.toml --set student.weights="$name" --out "out$name"
  [ "$status" = 0 ] || problem "--set student.weights=$name: exit $status"
  mv "$case/$name" "$case/student"
done
mv "$case" "$folder/$(printf 'Fr\xe9d')"
case=$folder/$(printf 'Fr\xe9d')
for words in 'run experiment.toml --out out --dry-run' 'run experiment.toml --out out' 'inspect experiment.toml' \
  'status experiment.toml --out out' 'report out --out report'; do
  # shellcheck disable=SC2086
  start 1 $words
  [ "$status" = 0 ] || problem "in a folder that is no UTF-8, $words: exit $status"
done

# A signal in the midst of training leaves no run under a final name.
fresh stopped
sed -i 's/^epochs.*/epochs = 100000/' "$case/experiment.toml"
(cd "$case" && exec "$kdbench" run experiment.toml --out out) >"$folder/output" 2>"$folder/errors" &
for _ in {1..300}; do
  compgen -G "$case/out/tiny/RTE-kd-*.partial/events.jsonl" >/dev/null && break
  sleep 0.1
done
kill -TERM $!
wait $! && problem "a signal: exit 0"
[ -z "$(find "$case/out/tiny" -path '*kd*' -name run.json -not -path '*.partial/*')" ] || problem "a signal: a run stands under a final name"

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0))
