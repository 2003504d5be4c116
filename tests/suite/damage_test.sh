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
kd() { timeout 120 "$kdbench" "$@" --threads 1 >output 2>&1 </dev/null; }

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

# damage FILE: in one of six ways; says which.
damage() {
  local size place
  size=$(stat -c %s "$1")
  place=$((size > 0 ? (RANDOM * 32768 + RANDOM) % size : 0))
  case $((RANDOM % 6)) in
    0) rm "$1" && echo "removed" ;;
    1) truncate -s $((size / 2)) "$1" && echo "cut in half" ;;
    2) printf '\xa5' | dd of="$1" bs=1 seek=$place conv=notrunc status=none && echo "one byte at $place" ;;
    3) head -c 4096 /dev/zero | head -c $((size - place)) | dd of="$1" bs=1 seek=$place conv=notrunc status=none && echo "zeros at $place" ;;
    4) head -c 64 /dev/urandom | dd of="$1" bs=1 seek=$place conv=notrunc status=none && echo "noise at $place" ;;
    5) : >"$1" && echo "emptied" ;;
  esac
}

pick() { # of the names on stdin
  local names
  mapfile -t names
  echo "${names[$((RANDOM % ${#names[@]}))]}"
}

kd run experiment.toml --out whole || { cat output; fail "the undisturbed run"; exit 1; }
results whole >expected

# Stages: the students are made again from them.
for ((point = 1; point <= points; ++point)); do
  rm -rf work && cp -a whole work && rm -rf work/damage/SST-2-fsd-* work/damage/SST-2-kd-*
  file=$(cd work && find .stages -type f ! -path '*/locks/*' | sort | pick)
  what="$file $(damage "work/$file")"
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

# Runs: their models and predictions, and the records.
run=$(cd whole/damage && ls -d SST-2-kd-*)
for ((point = 1; point <= (points + 2) / 3; ++point)); do
  rm -rf work && cp -a whole work
  file=$(cd "work/damage/$run" && find . -type f | sort | pick)
  what="$run/$file $(damage "work/damage/$run/$file")"
  if cmp -s "work/damage/$run/$file" "whole/damage/$run/$file"; then continue; fi
  kd inspect "work/damage/$run" 2>/dev/null && [ -e "work/damage/$run/run.json" ] && fail "point $point: $what: inspect says nothing"
  case $file in
    ./model/*) kd predict --model "work/damage/$run/model" --tasks SST-2 --data work/.stages/*/ --out work/predicted &&
      fail "point $point: $what: predict says nothing" ;;
    ./predictions/*-test.tsv) kd glue-zip "work/damage/$run" --out x.zip && fail "point $point: $what: glue-zip says nothing" ;;
    ./run.json) [ -s "work/damage/$run/run.json" ] && kd report "work/damage/$run" --out report &&
      fail "point $point: $what: report says nothing" ;;
  esac
done

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
