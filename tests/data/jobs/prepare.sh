#!/bin/bash
# prepare of tiny, written by kdbench slurm. By hand: sbatch prepare.sh, in this folder.
#SBATCH --job-name=kdbench-tiny-prepare
#SBATCH --output=logs/prepare-%A_%a.out --open-mode=append
#SBATCH --requeue --signal=B:USR1@180
#SBATCH --nodes=1 --ntasks-per-node=4 --cpus-per-task=8
#SBATCH --mem=2048M --time=0-00:10:00
#SBATCH --gpus-per-task=1
#SBATCH --array=1-1
set -euo pipefail

kdbench=/opt/kdbench/build/kdbench
working='/home/me/my work'
case ${SLURM_ARRAY_TASK_ID:?a job of an array: use sbatch} in
1) unit=(--tasks RTE) ;;
esac
arguments=(run /home/me/tiny.toml --out /scratch/me/results --set 'train.seeds=[1, 2]' --stages prepare "${unit[@]}")

# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every job does; kdbench slurm writes it into each script, after what the job makes. A signal (USR1: the time limit is
# near) is passed on to the program, which saves and exits with 75; the job then goes back into the queue, to go on.
launch=(srun --mpi=pmix)
container=()
site_start() { :; }
. ./site.sh
set +u # modules' own scripts
site_start
set -u
if [ "${launch[0]##*/}" = srun ]; then
  # A rank that died must not leave the others waiting. From Slurm 22.05 on, srun does not take the cores from the job.
  launch+=(--wait=30 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}")
  [ -z "${SLURM_GPUS_PER_TASK:-}" ] || launch+=(--gpus-per-task="$SLURM_GPUS_PER_TASK")
fi
echo "kdbench: job ${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}_${SLURM_ARRAY_TASK_ID:-0} on $SLURM_JOB_NODELIST, start $((${SLURM_RESTART_COUNT:-0} + 1))"

cd "$working"
step='' woken=0 asked=0
trap 'woken=1 asked=1; [ -z "$step" ] || kill -USR1 "$step" 2>/dev/null || true' USR1
"${launch[@]}" "${container[@]}" "$kdbench" "${arguments[@]}" &
step=$!
code=0
while :; do # the trap ends a wait, not the program
  woken=0
  wait "$step" && code=0 || code=$?
  [ "$woken" = 1 ] || break
done
# Ranks that were killed as the first one stopped hide its code.
[ "$asked" = 0 ] || [ "$code" -lt 128 ] || code=75
if [ "$code" = 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && exit 0
fi
exit "$code"
