# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# To be sourced. Open MPI: root may start ranks, more ranks than cores are fine, and ranks are not tied to one core each.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
