#!/bin/bash
# SPDX-License-Identifier: MIT
# The container files, which are not built here: they are what their readers take, and call what is there.
# container_test.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
failures=0
problem() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# Every line of the Dockerfile is a comment or an instruction.
unknown=$(grep -vE '^(#.*|ARG|FROM|COPY|ENV|RUN|ENTRYPOINT)( |$)|^#' slurm/Dockerfile)
[ -z "$unknown" ] || problem "slurm/Dockerfile: $unknown"
unknown=$(grep '^%' slurm/kdbench.def | grep -vxE '%(arguments|setup|post|environment|runscript)')
[ -z "$unknown" ] || problem "slurm/kdbench.def: $unknown"
grep -qx 'Bootstrap: docker' slurm/kdbench.def || problem "slurm/kdbench.def has no base"
for section in setup post environment runscript; do
  sed -n "/^%$section/,/^%/{/^%/d;p}" slurm/kdbench.def | sed 's/{{ [A-Z]* }}/release/g' | bash -n || problem "%$section is no script"
done

# Both build as people do.
for file in slurm/Dockerfile slurm/kdbench.def; do
  call=$(grep -oE 'bash /opt/kdbench/suite/bootstrap.sh .*' $file)
  [ -n "$call" ] || problem "$file does not call suite/bootstrap.sh"
  for word in ${call#*bootstrap.sh}; do
    case $word in --*) bash suite/bootstrap.sh --help | grep -q -- "  $word " || problem "$file: bootstrap has no $word" ;; esac
  done
  grep -q 'KDBENCH_CACHE' suite/bootstrap.sh || problem "bootstrap has no KDBENCH_CACHE"
  grep -oE 'PRESET=[a-z]+' $file | sort -u | while read -r preset; do
    grep -q "\"name\": \"${preset#*=}\"" CMakePresets.json || echo "$file: no preset ${preset#*=}"
  done | grep . && problem "presets of $file"
done

# %setup copies the repository, and nothing that is built or fetched.
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT
sed -n '/^%setup/,/^%/{/^%/d;p}' slurm/kdbench.def >"$image/setup.sh"
APPTAINER_ROOTFS=$image/root bash -e "$image/setup.sh" || problem "%setup fails"
[ -f "$image/root/opt/kdbench/suite/bootstrap.sh" ] || problem "%setup does not copy suite/bootstrap.sh"
[ -z "$(find "$image/root/opt/kdbench" -maxdepth 1 \( -name 'build*' -o -name .git -o -name data -o -name results \))" ] ||
  problem "%setup copies what is built"
[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0))
