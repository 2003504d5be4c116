#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Packs the program, its GPU checks and every library that they load, but for LibTorch, the driver and libc, into one folder
# that runs where it is copied to: for compute nodes without packages. suite/README.md, "A bundle".
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'END'
usage: bash suite/bundle.sh BUILD_FOLDER OUT_FOLDER

  BUILD_FOLDER   of a finished build, for example build-cuda
  OUT_FOLDER     is made anew

There: bash OUT_FOLDER/kdbench.sh run EXPERIMENT.toml, with LIBTORCH_ROOT set to a LibTorch of the version it was built with.
END
}

say() { printf '==> %s\n' "$*"; }
fail() { printf 'bundle: %s\n' "$*" >&2; exit 2; }

# What LibTorch, the driver and libc bring.
readonly foreign='/(torch|libtorch|nvidia|cuda[^/]*)/|/lib(c|m|dl|rt|pthread|util|resolv|nsl|anl|mvec|c_malloc_debug|BrokenLocale|thread_db|nss_[a-z]+|cuda|nvidia-[a-z-]+)\.so|/ld-linux'

# The libraries that the given files load, with those that these load.
libraries() {
  local missing
  missing=$(ldd "$@" 2>/dev/null | awk '$3 == "not" {print $1}' | sort -u | grep -Ev "$brought" || true)
  [ -z "$missing" ] || fail "not found on this machine: $missing"
  ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u | grep -Ev "$foreign"
}

# Of those, what this machine may lack: names as ldd gives them.
readonly brought='^lib(torch|c10|cu|nv|nccl|gomp|caffe2)'

directory_of() { # what ompi_info says: Pkglibdir
  ompi_info --path all --parsable | sed -n "s/^path:$1://p" | head -n 1
}

# Open MPI loads components by itself, and starts orted, also for a process that nobody launched.
copy_open_mpi() {
  command -v ompi_info >/dev/null || fail "no ompi_info: a bundle holds Open MPI, and this build's MPI is another"
  cp "$(readlink -f "$(command -v orterun || command -v mpirun)")" "$out/bin/mpirun"
  cp "$(readlink -f "$(command -v orted)")" "$out/bin/orted"
  mkdir "$out/lib/openmpi" "$out/share/openmpi" "$out/etc/openmpi"
  # Without other interconnects' libraries, which Debian's own settings switch off.
  find "$(directory_of pkglibdir)" -name 'mca_*.so' ! -name '*_ucx.so' ! -name '*_ofi.so' ! -name '*_openib.so' \
    ! -name '*_uct.so' ! -name '*_psm*.so' ! -name '*_usnic.so' -exec cp {} "$out/lib/openmpi" \;
  find "$(directory_of pkgdatadir)" -maxdepth 1 -name '*.txt' -exec cp {} "$out/share/openmpi" \;
  find "$(directory_of sysconfdir)" -maxdepth 1 -name 'openmpi-mca-params.conf' -exec cp {} "$out/etc/openmpi" \;
  local pmix
  pmix=$(libraries "$out"/lib/openmpi/*pmix*.so | grep 'libpmix\.so' || true)
  if [ -n "$pmix" ]; then
    pmix=$(dirname "$(readlink -f "$pmix")")/pmix
    mkdir "$out/lib/pmix"
    [ ! -d "$pmix" ] || cp "$pmix"/*.so "$out/lib/pmix"
  fi
}

# Of ICU, kdbench uses what is compiled into its code (NFD, properties of characters), and nothing of its 30 MB of data:
# a library of that name without any stands for them.
empty_icu_data() {
  local library name
  for library in "$out"/lib/libicudata.so.*; do
    name=${library##*/}
    printf 'const char icudt%s_dat[64] = {0};\n' "${name##*.}" |
      "${CC:-cc}" -shared -fPIC -nostdlib -Wl,-soname,"$name" -x c - -o "$library"
  done
}

# HDF5 reaches stores in the cloud by libcurl, which kdbench never asks for: a library of its name, whose functions are
# never called, stands for it and for the 10 MB of libraries that it would bring.
empty_curl() {
  local hdf5 curl version
  hdf5=$(libraries "$out"/bin/kdbench | grep '/libhdf5[^/]*$' | head -n 1)
  curl=$(ldd "$hdf5" | awk '$1 ~ /^libcurl/ {print $1}')
  [ -n "$curl" ] || return 0
  version=$(nm -D --undefined-only "$hdf5" | sed -n 's/.* curl_[a-z_]*@\(.*\)/\1/p' | sort -u | head -n 1)
  printf '%s { global: curl_*; };\n' "${version:-CURL}" >"$out/curl.map"
  nm -D --undefined-only "$hdf5" | sed -n 's/.* \(curl_[a-z_]*\).*/void \1(void) { __builtin_trap(); }/p' |
    "${CC:-cc}" -shared -fPIC -nostdlib -Wl,-soname,"$curl" -Wl,--version-script="$out/curl.map" -x c - -o "$out/lib/$curl"
  rm "$out/curl.map"
}

copy_programs() {
  local program
  cp "$build/kdbench" "$out/bin"
  for program in kdbench_bench tests/suite/tests_suite; do
    [ ! -x "$build/$program" ] || cp "$build/$program" "$out/bin"
  done
  strip --strip-unneeded "$out"/bin/*
}

# The build's own places would come before the bundle's, where both are there.
forget_build_paths() {
  printf 'foreach(i RANGE 1 ${CMAKE_ARGC})\n  if(EXISTS "${CMAKE_ARGV${i}}" AND i GREATER 2)\n    file(RPATH_REMOVE FILE "${CMAKE_ARGV${i}}")\n  endif()\nendforeach()\n' >"$out/forget.cmake"
  cmake -P "$out/forget.cmake" "$out"/bin/* >/dev/null 2>&1
  rm "$out/forget.cmake"
}

copy_texts() {
  mkdir -p "$out/suite" "$out/tests"
  cp -r suite/experiments "$out/suite"
  cp -r tests/data "$out/tests"
  rm -rf "$out/tests/data/make"
  cp tests/gpu.sh "$out"
  cp suite/bundled.sh "$out/kdbench.sh"
  git rev-parse HEAD >"$out/COMMIT" 2>/dev/null || rm -f "$out/COMMIT"
}

main() {
  [ $# = 2 ] || { usage >&2; exit 2; }
  build=$(realpath -m -- "$1")
  final=$(realpath -m -- "$2")
  out=$final.partial
  [ -x "$build/kdbench" ] || fail "$build holds no kdbench: build it first"
  if [ -e "$final" ] && [ ! -f "$final/kdbench.sh" ] && [ -n "$(ls -A "$final")" ]; then
    fail "$final is there and is no bundle: choose another folder"
  fi
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  rm -rf "$out"
  mkdir -p "$out/bin" "$out/lib" "$out/share" "$out/etc"
  copy_programs
  copy_open_mpi
  empty_curl
  local list
  list=$(LD_LIBRARY_PATH=$out/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} libraries "$out"/bin/* "$out"/lib/openmpi/*.so)
  mapfile -t needed <<<"$list"
  cp -Ln "${needed[@]}" "$out/lib"
  empty_icu_data
  strip --strip-unneeded "$out"/lib/*.so* "$out"/lib/*/*.so
  forget_build_paths
  copy_texts
  rm -rf "$final"
  mv -T "$out" "$final"
  say "$(du -sm --apparent-size "$final" | cut -f1) MB in $final"
}

main "$@"
