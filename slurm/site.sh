# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# All that a site's jobs need and other sites' do not. `kdbench slurm --site FILE` copies such a file beside the job scripts;
# without one this file is taken. It is sourced where jobs are submitted and again in each job. What it does not set keeps
# what stands here.

# What sbatch is asked for, by its own variables (man sbatch, "Input environment variables").
#export SBATCH_PARTITION=compute
#export SBATCH_ACCOUNT=project123
#export SBATCH_QOS=normal
#export SBATCH_CONSTRAINT=epyc

# GPUs of a node. Where there are some, a job has one for each rank, and as many ranks on a node as GPUs.
gpus_per_node=0

# In a job, before the program starts: modules, variables.
site_start() {
  : # module load gcc openmpi hdf5
}

# How ranks are started. `srun --mpi=list` names what the site has; options for cores and GPUs are added to srun's.
launch=(srun --mpi=pmix)
#launch=(mpirun --bind-to none) # it asks Slurm for nodes and ranks; a rank's threads are not tied to one core

# What the program runs in, if in anything (slurm/README.md, "In a container"), and then where it lies in there.
container=()
#container=(apptainer exec --nv /path/to/kdbench.sif)
#kdbench=/opt/kdbench/build/kdbench
