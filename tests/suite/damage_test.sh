#!/bin/bash
# SPDX-License-Identifier: MIT
# Files that a later result depends on are damaged at random: no damage changes a result with exit 0, the message names
# what to delete, and doing so heals. damage_test.sh KDBENCH POINTS [SEED]
set -u
kdbench=$1 points=$2
RANDOM=${3:-1}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0 noticed=0 healed=0 harmless=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}
alone() { timeout 120 "$kdbench" "$@" >output 2>&1 </dev/null; }
kd() { alone "$@" --threads 1; }

cat >experiment.toml <<'TOML'
name = "damage"
[data]
root = "synthetic"
tasks = ["SST-2"]
max_seq_length = 24
train_limit = 32
[teacher]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
[teacher.train]
epochs = 1
[student]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
[train]
epochs = 1
batch_size = 16
[[method]]
name = "fsd"
variant = "ILG"
centroids = 4
[[method]]
name = "kd"
teacher_outputs = "store"
[method.student]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
init = "weights"
init_from = "teacher"
TOML

results() { (cd "$1/damage" && sha256sum SST-2-fsd-*/predictions/* SST-2-kd-*/predictions/* SST-2-{fsd,kd}-*/model/model.safetensors); }

# All numbers are drawn in this shell: a subshell would draw others each time, whatever the seed.
# damage FILE: in one of six ways; which, in `how`.
damage() {
  local size place byte noise=""
  size=$(stat -c %s "$1")
  place=$((size > 0 ? (RANDOM * 32768 + RANDOM) % size : 0))
  case $((RANDOM % 6)) in
    0) rm "$1" && how="removed" ;;
    1) truncate -s $((size / 2)) "$1" && how="cut in half" ;;
    2) printf '\xa5' | overwrite "$1" $place && how="one byte at $place" ;;
    3) head -c 4096 /dev/zero | head -c $((size - place)) | overwrite "$1" $place && how="zeros at $place" ;;
    4)
      while [ ${#noise} -lt 256 ]; do printf -v byte '\\x%02x' $((RANDOM % 256)) && noise+=$byte; done
      printf '%b' "$noise" | overwrite "$1" $place && how="noise at $place"
      ;;
    5) : >"$1" && how="emptied" ;;
  esac
}
overwrite() { dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

pick() { # of the names on stdin, in `file`
  local names
  mapfile -t names
  file=${names[RANDOM % ${#names[@]}]}
}

kd run experiment.toml --out whole || { cat output; fail "the undisturbed run"; exit 1; }
results whole >expected

# Stages: the students are made again from them.
for ((point = 1; point <= points; ++point)); do
  rm -rf work && cp -a whole work && rm -rf work/damage/SST-2-fsd-* work/damage/SST-2-kd-*
  pick < <(cd work && find .stages -type f ! -path '*/locks/*' | sort)
  damage "work/$file"
  what="$file $how"
  if cmp -s "work/$file" "whole/$file"; then continue; fi
  if kd run experiment.toml --out work; then
    results work | cmp -s - expected || fail "point $point: $what: another result, and exit 0"
    harmless=$((harmless + 1))
    continue
  fi
  noticed=$((noticed + 1))
  stage=$(echo "$file" | cut -d/ -f2)
  grep -q "delete .*$stage" output || { fail "point $point: $what: the stage is not named"; cat output; }
  rm -rf "work/.stages/$stage"
  kd run experiment.toml --out work && results work | cmp -s - expected && healed=$((healed + 1)) ||
    { fail "point $point: $what: not healed by deleting the stage"; cat output; }
done
echo "stages: $noticed of $points damages noticed and $healed healed, $harmless made again or not needed"

# report_without RUN: it names the run whose record is lost, and has the others in its tables.
report_without() {
  rm -rf report
  alone report work/damage --out report
  [ $? = 1 ] && grep -q "^kdbench: not in the tables: work/damage/$1: run.json" output &&
    grep -q "^| $1 | damaged |" report/report.md && grep -q '^damage,SST-2-fsd-.*,done,' report/runs.csv
}

# Runs: their models and predictions, and the records.
run=$(cd whole/damage && ls -d SST-2-kd-*)
alone inspect "whole/damage/$run" || { cat output; fail "inspect of the undisturbed run"; }
alone report whole/damage --out report || { cat output; fail "the undisturbed report"; }
alone glue-zip "whole/damage/$run" --out whole.zip --any-size || { cat output; fail "glue-zip of the undisturbed run"; }
for ((point = 1; point <= (points + 2) / 3; ++point)); do
  rm -rf work && cp -a whole work
  pick < <(cd "work/damage/$run" && find . -type f | sort)
  damage "work/damage/$run/$file"
  what="$run/$file $how"
  if cmp -s "work/damage/$run/$file" "whole/damage/$run/$file"; then continue; fi
  alone inspect "work/damage/$run" && fail "point $point: $what: inspect says nothing"
  case $file in
    ./model/*) kd predict --model "work/damage/$run/model" --tasks SST-2 --data work/.stages/*/ --out work/predicted &&
      fail "point $point: $what: predict says nothing" ;;
    ./predictions/*-test.tsv) alone glue-zip "work/damage/$run" --out x.zip --any-size && fail "point $point: $what: glue-zip says nothing" ;;
    ./run.json) report_without "$run" || { fail "point $point: $what: the report"; cat output; } ;;
  esac
done

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
