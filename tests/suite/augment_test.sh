#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# augment, then predict and export on what it made, then join. augment_test.sh KDBENCH JSON_VALUE TEST_DATA MPIEXEC... RANKS
set -u
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
# shellcheck source=tests/support/program.sh
. "$(dirname "$0")/../support/program.sh"
# says POINTER VALUE: of `document`
says() {
  local found
  found=$("$json_value" "$1" <document 2>&1)
  [ "$found" = "$2" ] || problem "$1 is '$found', expected '$2'"
}
same() { cmp "$1" "$2" || problem "$1 and $2 differ"; }

# ---- single texts: a set, the same again, another seed, with a tagger that is trained and left
cat >corpus <<'EOF'
the_DT dog_NN barks_VBZ ._.
a_DT cat_NN sleeps_VBZ ._.
EOF
expect 0 "parts of speech: none" kd augment --data "$data/rows" --task CoLA --out sets/cola.tsv
expect 0 "rows in" kd augment --data "$data/rows" --task CoLA --out again.tsv
same sets/cola.tsv again.tsv
"$kdbench" augment --data "$data/rows" --task CoLA --out alone.tsv >/dev/null || problem "alone"
same sets/cola.tsv alone.tsv
expect 0 "rows in" kd augment --data "$data/rows" --task CoLA --out other.tsv --seed 1
cmp -s sets/cola.tsv other.tsv && problem "another seed gives the same set"
expect 0 "trained from corpus (8 words)" kd augment --data "$data/rows" --task CoLA --out tagged.tsv --tagged-corpus corpus --save-tagger tagger
expect 0 "averaged perceptron of tagger" kd augment --data "$data/rows" --task CoLA --out loaded.tsv --tagger tagger
same tagged.tsv loaded.tsv
head -1 sets/cola.tsv | grep -qx $'index\tsentence' || problem "header: $(head -1 sets/cola.tsv)"
[ "$(cut -f1 sets/cola.tsv | tail -n +2)" = "$(seq 0 $(($(wc -l <sets/cola.tsv) - 2)))" ] || problem "its index does not count rows"
grep -qF '[MASK]' sets/cola.tsv || problem "no word is masked"

# ---- the set as the task's test rows: predict, export, join
mkdir -p glue/CoLA
cp sets/cola.tsv glue/CoLA/test.tsv
model=$data/models/cola-student
expect 0 "predictions and logits" kd predict --model "$model" --tasks CoLA --data glue --max-seq-length 40 --threads 1
expect 0 "outputs of" kd export --model "$model" --task CoLA --data glue --max-seq-length 40 --splits test --teacher-outputs cola.h5 --threads 1
logits=$(find results/predict -name 'CoLA-test-logits.tsv')
expect 0 "order of the logits: the store's labels" kd join --file sets/cola.tsv --task CoLA --teacher-outputs cola.h5 --out joined.tsv
expect 0 "as the predictions beside them" kd join --file sets/cola.tsv --task CoLA --logits "$logits" --out joined-table.tsv
same joined.tsv joined-table.tsv
[ "$(head -1 joined.tsv)" = $'sentence\tlabel\tlogits_0\tlogits_1' ] || problem "joined header: $(head -1 joined.tsv)"
[ "$(cut -f1 joined.tsv | tail -n +2)" = "$(cut -f2 sets/cola.tsv | tail -n +2)" ] || problem "joined texts differ"
awk -F'\t' 'NR > 1 && ($2 == 1) != ($4 > $3) { exit 1 }' joined.tsv || problem "a label is not that of the largest logit"
kd join --file sets/cola.tsv --task CoLA --teacher-outputs cola.h5 --out joined-json.tsv --json >document || problem "join --json"
says /joined/rows $(($(wc -l <sets/cola.tsv) - 1))
says /joined/label_order/1 1
expect 2 "none of its splits" kd join --file other.tsv --task CoLA --teacher-outputs cola.h5 --out no.tsv

# ---- pairs, from a file of any columns
printf 'id\tone\ttwo\n1\ta "b c d e f\tg h i\n2\tj k l m\tn o p q r\n' >pairs.tsv
kd augment --file pairs.tsv --columns one,two --out pairs-set.tsv --n-iter 30 --originals --json >document 2>errors || problem "$(cat errors)"
says /transfer_set/rows_in 2
says /transfer_set/rules/n_iter 30
says /transfer_set/rules/window_prob 0.25
says /transfer_set/originals 2
[ "$("$json_value" /transfer_set/rows_out <document)" = $(($(wc -l <pairs-set.tsv) - 1)) ] || problem "rows_out"
[ "$(sed -n 2p pairs-set.tsv)" = $'a "b c d e f\tg h i' ] || problem "the original: $(sed -n 2p pairs-set.tsv)"
[ "$(tail -n +2 pairs-set.tsv | sort | uniq -d)" = "" ] || problem "a pair is there twice"
expect 0 "varied: only a" kd augment --file pairs.tsv --columns one,two --out pairs-2.tsv

# ---- mistakes, all at once; nothing is left
expect 2 "4 problems" kd augment --file pairs.tsv --columns one,three --mask-prob 0.8 --random-prob 0.7 --tagger nowhere --out joined.tsv
for part in "together 1.5" "no column 'three'" "--tagger nowhere: is no folder" "joined.tsv: is already there"; do
  grep -qF -- "$part" <<<"$output" || problem "no '$part' in: $output"
done
printf 'sentence\n' >empty.tsv
expect 2 "the file has no rows" kd augment --file empty.tsv --columns sentence --out no.tsv
expect 2 "which rows?" kd augment --out no.tsv
expect 2 "no training rows" kd augment --data glue --task AX --out no.tsv
expect 2 "where are the logits?" kd join --file sets/cola.tsv --task CoLA --out no.tsv
[ -e no.tsv ] && problem "an error leaves a file"
[ -z "$(find . -name '*.partial')" ] || problem "half-made: $(find . -name '*.partial')"

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
