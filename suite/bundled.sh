#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kdbench.sh of a bundle: runs the bundled kdbench, or another command among what the bundle holds.
#   bash kdbench.sh run EXPERIMENT.toml ...        one rank
#   bash kdbench.sh -- mpirun -n 2 kdbench ...      any command, with the bundle's programs and libraries first
# LIBTORCH_ROOT: a LibTorch of the version that the bundle was built with: a folder that holds lib/ or torch/lib/ (a Python
# environment's site-packages, for example).
set -eu
case ${BASH_SOURCE[0]} in
  */*) here=$(cd "${BASH_SOURCE[0]%/*}" && pwd) ;;
  *) here=$PWD ;;
esac
: "${LIBTORCH_ROOT:?set it to a folder that holds LibTorch: lib/libtorch_cpu.so or torch/lib/libtorch_cpu.so}"
libraries=$here/lib
for folder in "$LIBTORCH_ROOT"/lib "$LIBTORCH_ROOT"/torch/lib "$LIBTORCH_ROOT"/nvidia/*/lib "$LIBTORCH_ROOT"/../nvidia/*/lib; do
  [ ! -d "$folder" ] || libraries+=:$folder
done
found=no
for folder in ${libraries//:/ }; do
  [ ! -e "$folder/libtorch_cpu.so" ] || found=yes
done
[ $found = yes ] || { echo "kdbench.sh: no libtorch_cpu.so in lib/ or torch/lib/ of LIBTORCH_ROOT=$LIBTORCH_ROOT" >&2; exit 2; }
export PATH=$here/bin:$PATH LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Where Open MPI and PMIx look for their parts.
export OPAL_PREFIX=$here OPAL_BINDIR=$here/bin OPAL_LIBDIR=$here/lib OPAL_PKGLIBDIR=$here/lib/openmpi
export OPAL_DATADIR=$here/share OPAL_PKGDATADIR=$here/share/openmpi OPAL_SYSCONFDIR=$here/etc/openmpi
export PMIX_PREFIX=$here PMIX_LIBDIR=$here/lib PMIX_PKGLIBDIR=$here/lib/pmix PMIX_PKGDATADIR=$here/share/pmix
# A process that nobody launched needs no orted.
[ -n "${OMPI_COMM_WORLD_SIZE:-}" ] || export OMPI_MCA_ess_singleton_isolated=${OMPI_MCA_ess_singleton_isolated:-1}
# Where nothing starts processes on other hosts, mpirun works on this one alone.
if ! command -v ssh >/dev/null && ! command -v rsh >/dev/null && [ -z "${SLURM_JOB_ID:-}" ]; then
  export OMPI_MCA_plm=${OMPI_MCA_plm:-isolated}
fi
if [ "${1:-}" = -- ]; then
  shift
  exec "$@"
fi
exec kdbench "$@"
