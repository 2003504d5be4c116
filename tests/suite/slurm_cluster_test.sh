#!/bin/bash
# SPDX-License-Identifier: MIT
# kdbench slurm on a real Slurm cluster of four nodes on this machine, which is started for the time of the test.
# slurm_cluster_test.sh KDBENCH SHARED_FOLDER
set -u
kdbench=$(readlink -f "$1") testbed=${KDBENCH_SHARED:-$2}/slurm-testbed/slurm-testbed.sh
skip() {
  echo "skipped: $1"
  [ -z "${CI:-}" ] || [ ! -f "$testbed" ] || exit 1 # in CI nothing is skipped that could be there
  exit 77
}
[ -f "$testbed" ] || skip "no $testbed (set KDBENCH_SHARED to the folder with the fixtures)"
[ "$(id -u)" = 0 ] || skip "a cluster needs root"
for program in slurmctld slurmd munged ip; do
  PATH=$PATH:/usr/sbin command -v $program >/dev/null || skip "no $program: apt-get install slurm-wlm munge iproute2"
done
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
tests=$(cd "$(dirname "$0")/.." && pwd)
cd "$folder" || exit 1
# shellcheck source=tests/faults/tiny_run.sh
. "$tests/faults/tiny_run.sh"

export SLURM_TESTBED_DIR=$folder/cluster SLURM_TESTBED_KILLWAIT=4
trap 'bash "$testbed" down >/dev/null 2>&1; rm -rf "$folder"' EXIT
bash "$testbed" up 4 || skip "the cluster does not start here"
# shellcheck disable=SC1091
. "$SLURM_TESTBED_DIR/env.sh"
export OMP_NUM_THREADS=1

seeds=(--set 'train.seeds=[1,2]' --set teacher.per_seed=true)
srun_site="launch=(srun --mpi=pmix); export SBATCH_EXCLUSIVE=exclusive"
mpirun_site="launch=(mpirun --bind-to none); export SBATCH_EXCLUSIVE=exclusive"

# wait_until SECONDS WHAT COMMAND...
wait_until() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { problem "waited in vain for $what"; return 1; }
    sleep 0.2
  done
}
# Tasks of all jobs that have this name and may still run.
queued() { squeue --noheader --array --name="$1" | wc -l; }
idle() { [ -z "$(squeue --noheader)" ]; }
# What does not depend on where it was run: labels, and scores of all runs by their ids.
scores() {
  (cd "$1/tiny" && for run in RTE-*; do
    sha256sum "$run"/predictions/RTE-dev.tsv
    "$(dirname "$kdbench")/json_value" /metrics/last/dev/accuracy <"$run/run.json"
  done)
}
show_logs() { tail -n 15 "$1"/logs/* 2>/dev/null; }

"$kdbench" run experiment.toml --out alone "${seeds[@]}" >alone.log 2>&1 || { problem "the local run"; cat alone.log; }

# --- From data to report over two nodes by srun, and over four by mpirun: the local run's scores.
for way in srun:2 mpirun:4; do
  launcher=${way%:*} nodes=${way#*:} site=${way%:*}_site
  echo "${!site}" >$launcher.sh
  expect 0 'submitted report' "$kdbench" slurm experiment.toml --out $launcher "${seeds[@]}" --jobs jobs-$launcher \
    --site $launcher.sh --nodes "$nodes" --submit
done
for way in srun mpirun; do
  wait_until 90 "the report by $way" test -f jobs-$way/report/report.md || show_logs jobs-$way
  diff <(scores alone) <(scores $way) || { problem "$way: other scores than the local run's"; show_logs jobs-$way; }
done
ranks=$("$(dirname "$kdbench")/json_value" /system/ranks <"$(echo mpirun/tiny/RTE-fsd-s1-*/run.json)")
[ "$ranks" = 4 ] || problem "mpirun started $ranks ranks of a job, not 4"
wait_until 20 "an empty queue" idle

# --- A second submit finds all done; without one run it submits that one, and the report.
slurm=("$kdbench" slurm experiment.toml --out srun "${seeds[@]}" --jobs jobs-srun --nodes 2)
expect 0 'nothing to submit' "${slurm[@]}" --submit
rm -r srun/tiny/RTE-fsd-s2-*
expect 0 'submitted students [4]' "${slurm[@]}" --submit
[ "$(grep -c submitted <<<"$output")" = 2 ] || problem "more than the missing run and the report: $output"
wait_until 60 "the missing run" compgen -G 'srun/tiny/RTE-fsd-s2-*/run.json'
wait_until 30 "an empty queue" idle
diff <(scores alone) <(scores srun) || problem "the run that was made again has other scores"

# --- A teacher that fails stops what needs it, with the reason; the report comes all the same.
failing=("$kdbench" slurm experiment.toml --out failing --set 'teacher.train.learning_rate=1e30' --jobs jobs-failing)
expect 0 'submitted students' "${failing[@]}" --submit
wait_until 60 "the end of what failed" idle || show_logs jobs-failing
expect_pattern=-E
expect 0 'needs teachers RTE .*, which failed: .*not finite' "${failing[@]}" --status
expect 0 '^teachers .* failed .* FAILED .*not finite' "${failing[@]}" --status
expect 0 '^students .* waiting .* CANCELLED ' "${failing[@]}" --status
expect_pattern=-F
ls failing/tiny/*pkd* >/dev/null 2>&1 && problem "a student without its teacher"

# --- The program stops with a checkpoint (75): the job goes back into the queue and on; its dependants wait for the end.
cat >stops.sh <<'END'
#!/bin/bash
# On each node's first start waits for the signal, then stops to be continued.
case " $* " in *" prepare "*) exec "$REAL" "$@" ;; esac
if [ "${SLURM_RESTART_COUNT:-0}" = 0 ]; then
  trap 'exit 75' USR1
  touch waits
  while :; do sleep 0.1; done
fi
exec "$REAL" "$@"
END
chmod +x stops.sh
printf '%s\nkdbench=%s/stops.sh\nexport REAL=%s\n' "$srun_site" "$folder" "$kdbench" >stops_site.sh
expect 0 'submitted teachers' "$kdbench" slurm experiment.toml --out stopped "${seeds[@]}" --jobs jobs-stopped --site stops_site.sh --method pkd --seeds 1 --submit
wait_until 40 "a job to stop" test -f waits
teacher=$(squeue --noheader --array --format=%A --name=kdbench-tiny-teachers --states=RUNNING)
scancel --batch --signal=USR1 "$teacher"
wait_until 60 "the job that stopped" compgen -G 'stopped/tiny/RTE-teacher-*/run.json' || show_logs jobs-stopped
scontrol show job "$teacher" | grep -q 'Restarts=1' || problem "the job was not put back: $(scontrol show job "$teacher" | grep -o 'Restarts=[0-9]*')"
"$kdbench" slurm experiment.toml --out stopped "${seeds[@]}" --jobs jobs-stopped --method pkd --seeds 1 --cancel >/dev/null

# --- A node that is lost: its job is put back by Slurm, and made on another.
expect 0 'submitted teachers' "$kdbench" slurm experiment.toml --out lost --jobs jobs-lost --set teacher.train.epochs=3000 --method pkd --submit
training() { ls lost/.stages/*.partial/run.partial/events.jsonl; }
wait_until 40 "a teacher in training" training
node=$(squeue --noheader --format=%N --name=kdbench-tiny-teachers --states=RUNNING)
bash "$testbed" fail-node "$node" 2>/dev/null
scontrol update nodename="$node" state=down reason=test
wait_until 90 "the teacher of the lost node" compgen -G 'lost/tiny/RTE-teacher-*/run.json' || show_logs jobs-lost
wait_until 60 "the student of the lost node" compgen -G 'lost/tiny/RTE-pkd-*/run.json' || show_logs jobs-lost

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0))
