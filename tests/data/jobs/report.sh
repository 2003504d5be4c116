#!/bin/bash
# report of tiny, written by kdbench slurm. By hand: sbatch report.sh, in this folder.
#SBATCH --job-name=kdbench-tiny-report
#SBATCH --output=logs/report-%A_%a.out --open-mode=append
#SBATCH --array=1
#SBATCH --nodes=1 --ntasks-per-node=1 --cpus-per-task=1
#SBATCH --mem=1024M --time=0-00:10:00
set -euo pipefail

kdbench=/opt/kdbench/build/kdbench
working='/home/me/my work'
arguments=(report /scratch/me/results/tiny --out /home/me/jobs/report)

# One process reads and writes: no launcher.
container=()
site_start() { :; }
. ./site.sh
set +u
site_start
set -u
cd "$working"
"${container[@]}" "$kdbench" "${arguments[@]}"
