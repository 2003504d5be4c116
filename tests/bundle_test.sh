#!/bin/bash
# SPDX-License-Identifier: MIT
# A bundle of the build holds all that it needs: in a root with libc, bash and LibTorch alone it runs on 1 and 2 ranks, and
# computes what the build computes. bundle_test.sh SOURCE_FOLDER BUILD_FOLDER
set -u
source=$1 build=$2
[ "$(id -u)" = 0 ] || { echo "skipped: only root may change the root"; exit 77; }
command -v ompi_info >/dev/null || { echo "skipped: no Open MPI with ompi_info"; exit 77; }
# What is mounted goes with this process.
if [ -z "${KDBENCH_OWN_MOUNTS:-}" ] && unshare -m true 2>/dev/null; then
  KDBENCH_OWN_MOUNTS=1 exec unshare -m bash "$0" "$@"
fi
root=$(mktemp -d)
trap 'umount -q "$root/dev" 2>/dev/null; umount -q "$root/proc" 2>/dev/null; rm -rf "$root"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

bash "$source/suite/bundle.sh" "$build" "$root/bundle" || fail "no bundle"
size=$(du -sm --apparent-size "$root/bundle" | cut -f1)
[ "$size" -le 60 ] || fail "the bundle has $size MB"

! readelf -d "$root"/bundle/bin/* | grep -E 'RPATH|RUNPATH' || fail "the bundle looks for libraries where the build did"
! readelf -d "$build/kdbench" | grep -E 'RPATH.*(\[:|::|:\])' || fail "the build looks for libraries in the working folder"
LIBTORCH_ROOT=/nowhere bash "$root/bundle/kdbench.sh" --version >"$root/said" 2>&1
[ $? = 2 ] && grep -q 'LIBTORCH_ROOT=/nowhere' "$root/said" || fail "a wrong LIBTORCH_ROOT: $(cat "$root/said")"

# libc, the loader and bash, as a compute node has them.
mkdir -p "$root"/{tmp,proc,sys,dev,etc,libtorch/lib,lib64,usr/bin}
ln -s usr/bin "$root/bin"
install_with_libraries() { # programs or libraries: what of libc they load
  local file
  for file in $(ldd "$@" | grep -oE '/[^ ]+/(ld-linux[^ ]*|lib(c|m|dl|rt|pthread|util|resolv|tinfo)\.so[^ ]*)' | sort -u); do
    mkdir -p "$root${file%/*}"
    cp -L "$file" "$root$file"
  done
}
cp /bin/bash "$root/usr/bin/bash"
ln -s bash "$root/usr/bin/sh"
install_with_libraries /bin/bash "$build/kdbench" "$root"/bundle/bin/* "$root"/bundle/lib/*.so*
# LibTorch's own libraries, as links where that is possible: they are large.
ldd "$build/kdbench" | awk '$2 == "=>" && $3 ~ /\/(torch|libtorch|nvidia|cuda[^\/]*)\// {print $3}' | sort -u |
  while read -r file; do
    real=$(readlink -f "$file")
    cp -l "$real" "$root/libtorch/lib/${file##*/}" 2>/dev/null || cp "$real" "$root/libtorch/lib/${file##*/}"
  done
printf 'root:x:0:0:root:/:/bin/sh\n' >"$root/etc/passwd"
printf '127.0.0.1 localhost %s\n' "$(uname -n)" >"$root/etc/hosts"
mount -t proc proc "$root/proc" 2>/dev/null || { echo "skipped: nothing may be mounted here"; exit 77; }
mount -t tmpfs tmpfs "$root/dev" || fail "no /dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
mkdir "$root/dev/shm"

inside() {
  env -i PATH=/usr/bin:/usr/sbin LIBTORCH_ROOT=/libtorch OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none KDBENCH_TEST_DATA=/bundle/tests/data \
    chroot "$root" /bin/bash "$@" </dev/null
}
experiment=bundle/tests/data/parity/kd-rte/experiment.toml
for ranks in 1 2; do
  launch=(-c 'cd /bundle && exec bash kdbench.sh "$@"' bundle)
  [ $ranks = 1 ] || launch=(/bundle/kdbench.sh -- mpirun -n $ranks kdbench)
  said=$(inside "${launch[@]}" run /$experiment --device cpu --threads 1 --out /tmp/out$ranks 2>&1) || fail "$ranks ranks: $said"
  grep -q '1 runs done, 0 reused, 0 failed' <<<"$said" || fail "$ranks ranks: $said"
done
said=$(inside /bundle/kdbench.sh -- mpirun -n 2 tests_suite --gtest_filter='DeviceCollectives.*' 2>&1) || fail "tests: $said"
"$build/kdbench" run "$root/$experiment" --device cpu --threads 1 --out "$root/tmp/here" >/dev/null 2>&1 || fail "the build itself"
for place in out1 here; do
  (cd "$root/tmp/$place" && find . -path '*/predictions/*' -exec sha256sum {} + | sort -k 2) >"$root/tmp/$place.sums"
done
[ -s "$root/tmp/here.sums" ] && cmp "$root/tmp/here.sums" "$root/tmp/out1.sums" || fail "other predictions"

text='Café Ångström Привет ﬁ'
said=$(inside -c "/bin/bash /bundle/kdbench.sh tokenize --tokenizer /bundle/tests/data/tokenizer/wordpiece <<<'$text'")
[ "$said" = "$("$build/kdbench" tokenize --tokenizer "$source/tests/data/tokenizer/wordpiece" <<<"$text")" ] || fail "other tokens: $said"
echo "$size MB, runs on 1 and 2 ranks in a bare root"
