#!/bin/bash
# SPDX-License-Identifier: MIT
# kdbench slurm against programs that only note what they are asked: what it writes, submits, and submits again.
# slurm_test.sh KDBENCH
set -u
kdbench=$1
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"
tests=$(cd "$(dirname "$0")/.." && pwd)
cd "$folder" || exit 1
# shellcheck source=tests/faults/tiny_run.sh
. "$tests/faults/tiny_run.sh"

# sbatch gives ids from 101 on; the queue is what stands in the file `queue`.
mkdir programs
cat >programs/sbatch <<'END'
#!/bin/bash
id=$((101 + $(cat calls 2>/dev/null | wc -l)))
echo "$PWD $*" >>calls
[ -z "${SBATCH_PARTITION:-}" ] || echo "$SBATCH_PARTITION" >partition
env | grep -q '^OMPI_\|^PMIX_' && touch mpi_variables
echo "$id;cluster"
END
printf '#!/bin/bash\ncat queue 2>/dev/null\n' >programs/squeue
printf '#!/bin/bash\nexit 1\n' >programs/sacct
printf '#!/bin/bash\necho "$*" >>cancelled\n' >programs/scancel
chmod +x programs/*
export PATH=$PWD/programs:$PATH
unset OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM OMPI_MCA_rmaps_base_oversubscribe OMPI_MCA_hwloc_base_binding_policy

slurm=("$kdbench" slurm experiment.toml --out out --set 'train.seeds=[1,2]' --set teacher.per_seed=true)

# --- Scripts alone: every one is a script, and nothing is submitted.
expect 0 'students.sh  ' "${slurm[@]}" --jobs jobs --nodes 2 --cpus-per-rank 4
[ "$(cd jobs && echo *)" = "logs outputs.sh prepare.sh report.sh site.sh students.sh teachers.sh" ] || problem "files: $(ls jobs)"
for script in jobs/*.sh; do bash -n "$script" || problem "$script is no script"; done
grep -q '^#SBATCH --array=1-4$' jobs/students.sh || problem "four students"
grep -q '^#SBATCH --nodes=1 --ntasks-per-node=1 --cpus-per-task=4$' jobs/prepare.sh || problem "rows need one node"
grep -q '^#SBATCH --nodes=2 --ntasks-per-node=1 --cpus-per-task=4$' jobs/teachers.sh || problem "teachers take two"
[ -e jobs/calls ] && problem "something was submitted"
cmp jobs/site.sh "$tests/../slurm/site.sh" || problem "the example of a site"

# --- Each after what makes its needs, and the report after all. What an edited site.sh says is sbatch's.
echo 'export SBATCH_PARTITION=big' >>jobs/site.sh
expect 0 'submitted report [1]: job 105' "${slurm[@]}" --jobs jobs --at-once 2 --submit
cat >wanted <<END
$PWD/jobs --parsable --array=1%2 prepare.sh
$PWD/jobs --parsable --array=1-2%2 --dependency=afterok:101_1 --kill-on-invalid-dep=yes teachers.sh
$PWD/jobs --parsable --array=1-2%2 --dependency=afterok:101_1:102_1:102_2 --kill-on-invalid-dep=yes outputs.sh
$PWD/jobs --parsable --array=1-4%2 --dependency=afterok:101_1:102_1:102_2:103_1:103_2 --kill-on-invalid-dep=yes students.sh
$PWD/jobs --parsable --array=1%2 --dependency=afterany:101:102:103:104 --kill-on-invalid-dep=yes report.sh
END
diff wanted jobs/calls || problem "what was submitted"
[ "$(cat jobs/partition)" = big ] || problem "the site's partition"
[ -e jobs/mpi_variables ] && problem "jobs inherit this process's MPI"

# --- All of it is queued.
cat >jobs/queue <<'END'
101_1|RUNNING|None
102_1|PENDING|Dependency
102_2|PENDING|Dependency
103_1|PENDING|Dependency
103_2|PENDING|Dependency
104_1|PENDING|Dependency
104_2|PENDING|Dependency
104_3|PENDING|Dependency
104_4|PENDING|Dependency
105_1|PENDING|Dependency
END
expect 0 'nothing to submit: all is there, or queued' "${slurm[@]}" --jobs jobs --submit
expect 0 '104_4' "${slurm[@]}" --jobs jobs --status
grep -q '^students  *RTE pkd seed 1  *waiting  *104_1  *PENDING  *Dependency$' <<<"$output" || problem "status: $output"

# --- A task ended badly and one is unknown: both again, after what is still queued, and another report.
sed -i 's/^104_2.*/104_2|CANCELLED by 0|DependencyNeverSatisfied/; /^104_4/d; s/^101_1.*/101_1|COMPLETED|None/' jobs/queue
"$kdbench" run experiment.toml --out out --set 'train.seeds=[1,2]' --set teacher.per_seed=true --stages prepare >log 2>&1 || { problem "run --stages prepare"; cat log; }
grep -q '1 stages done, 0 reused, 0 failed' log || { problem "what --stages counts"; cat log; }
expect 0 'submitted students [2,4]: job 106' "${slurm[@]}" --jobs jobs --submit
tail -n 2 jobs/calls | cut -d' ' -f2- >found
cat >wanted <<'END'
--parsable --array=2,4 --dependency=afterok:102_2:103_2 --kill-on-invalid-dep=yes students.sh
--parsable --array=1 --dependency=afterany:102:103:104:106 --kill-on-invalid-dep=yes report.sh
END
diff wanted found || problem "what was submitted again"
[ "$(cat jobs/cancelled)" = 105_1 ] || problem "the report that came too soon: $(cat jobs/cancelled)"

# --- What may still run is cancelled, once.
echo '106_2|PENDING|Dependency' >>jobs/queue
expect 0 'jobs cancelled' "${slurm[@]}" --jobs jobs --cancel
tail -n 1 jobs/cancelled | grep -q '102_1 102_2 103_1 103_2 104_1 104_3 105_1 106_2' || problem "cancelled: $(tail -n 1 jobs/cancelled)"

# --- Mistakes.
expect 2 'is of another experiment, --out or --set' "$kdbench" slurm experiment.toml --out elsewhere --jobs jobs --submit
expect 2 'nothing was submitted from there' "${slurm[@]}" --jobs none --status
expect 2 'three calls' "${slurm[@]}" --jobs jobs --submit --cancel
expect 2 'there is no such file' "${slurm[@]}" --jobs jobs --site none.sh
expect 2 "there are no such stages (did you mean 'teachers'?)" "$kdbench" run experiment.toml --out out --stages teacher
expect 2 'site.sh says that nodes have no GPUs' "${slurm[@]}" --jobs jobs --device cuda
printf 'gpus_per_node=4\n' >gpus.sh
expect 0 'teachers.sh' "${slurm[@]}" --jobs gpus --site gpus.sh
grep -q '^#SBATCH --nodes=1 --ntasks-per-node=4 ' gpus/teachers.sh || problem "a rank for each GPU"
grep -q '^#SBATCH --gpus-per-task=1$' gpus/teachers.sh || problem "a GPU for each rank"
grep -q -- '--device cuda' gpus/teachers.sh || problem "the program is told of GPUs"
printf 'exit 3\n' >broken.sh
expect 2 'cannot be sourced' "${slurm[@]}" --jobs broken --site broken.sh
rm programs/sbatch
PATH=$PWD/programs:/bin expect 3 'was not submitted' "${slurm[@]}" --jobs other --submit

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0))
