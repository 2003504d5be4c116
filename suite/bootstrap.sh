#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, fetches LibTorch once, configures and builds. A second call takes seconds.
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'END'
usage: bash suite/bootstrap.sh [--preset NAME] [--program]

  --preset NAME   a preset of CMakePresets.json: release (default; ci where CI=true), debug, asan, cuda.
                  release and ci build into build/, the others into build-NAME/.
  --program       builds the program only, not the tests and benchmarks

Environment:
  LIBTORCH_ROOT   a LibTorch of your own; nothing is fetched then
  KDBENCH_CACHE   where the fetched LibTorch is kept (default: ~/.cache/kdbench)
END
}

readonly torch_version=2.11.0
readonly packages=(
  build-essential cmake ninja-build ccache git ca-certificates python3-pip unzip
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev
  libspdlog-dev libfmt-dev libicu-dev libssl-dev libzip-dev libgtest-dev libgmock-dev libbenchmark-dev
)

say() { printf '==> %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

# Whether as_root will work: sudo lets us without a password, or asks for it where somebody can type it.
may_be_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || return
  sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }
}

# Those of the packages that are not installed, a line each.
missing_packages() {
  local package
  for package in "${packages[@]}"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      printf '%s\n' "$package"
    fi
  done
}

# One line a package that is ready.
apt_install() {
  as_root apt-get install -y -q --no-install-recommends "$@" | sed -un '/^\(Need to get\|Fetched\|Setting up\)/p'
}

# What cannot be installed is not an error yet: it may stand elsewhere on this machine, and CMake names what it lacks.
install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "Not a Debian or Ubuntu system. Needed, by the names of Debian's packages: ${packages[*]}"
    say "Their names elsewhere: suite/environment.yml (conda), suite/spack.yaml (Spack); suite/README.md says how"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} = 0 ]; then
    say "All Debian packages are there"
    return
  fi
  if may_be_root; then
    say "Installing ${missing[*]}"
    if apt-cache show "${missing[@]}" >/dev/null 2>&1 && apt_install "${missing[@]}"; then
      return
    fi
    if as_root apt-get update -q && apt_install "${missing[@]}"; then
      return
    fi
    mapfile -t missing < <(missing_packages)
    say "apt-get failed"
  else
    say "Neither root nor a sudo that lets us"
  fi
  say "Not installed, going on without: ${missing[*]}"
}

# The wheels that make up LibTorch. All hold plain libraries: no Python runs after they are unpacked.
wheels() {
  cat <<END
torch==$torch_version --hash=sha256:7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a
nvidia-cuda-runtime==13.0.96 --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548
nvidia-cuda-cupti==13.0.85 --hash=sha256:4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8
END
  if [ "$1" = cuda ]; then
    cat <<'END'
nvidia-cufile==1.15.1.6 --hash=sha256:08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44
nvidia-cusparselt-cu13==0.8.0 --hash=sha256:25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd
nvidia-nvshmem-cu13==3.4.5 --hash=sha256:290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80
END
  fi
}

# Downloads into folder $2 the wheels for device $1. The torch wheels of all Python versions hold the same libraries;
# one is named so that its hash is one.
download_wheels() {
  wheels "$1" >"$2/requirements.txt"
  python3 -m pip download --no-deps --no-cache-dir --require-hashes --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 --abi none --platform manylinux_2_28_x86_64 \
    --platform manylinux_2_25_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --dest "$2" --requirement "$2/requirements.txt" ||
    fail "could not download LibTorch; on a machine without network set LIBTORCH_ROOT to a copy of it"
}

unpack_wheels() { # device, folder with wheels, target
  local wheel unused=('*/libtorch_python.so' '*/libshm*')
  if [ "$1" = cpu ]; then
    unused+=('*/lib*_cuda*.so' '*/libtorch_nvshmem.so' '*/libcaffe2_nvrtc.so')
  fi
  for wheel in "$2"/nvidia*.whl; do
    unzip -q -o "$wheel" 'nvidia/*' -d "$3"
  done
  unzip -q -o "$2"/torch-*.whl 'torch/include/*' 'torch/lib/*' -x "${unused[@]}" -d "$3"
}

# Prints the LibTorch folder for device $1 and fetches it first where it is not there. The folder appears whole or not at all.
libtorch_root() {
  if [ -n "${LIBTORCH_ROOT:-}" ]; then
    say "LibTorch: $LIBTORCH_ROOT (LIBTORCH_ROOT)" >&2
    printf '%s\n' "$LIBTORCH_ROOT"
    return
  fi
  local cache=${KDBENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kdbench}
  local root=$cache/libtorch-$torch_version-$1
  if [ ! -d "$root" ]; then
    [ "$(uname -sm)" = "Linux x86_64" ] || fail "no LibTorch to fetch for $(uname -sm): set LIBTORCH_ROOT"
    say "Fetching LibTorch $torch_version (530 MB, once) into $root" >&2
    mkdir -p "$cache"
    local work
    work=$(mktemp -d "$cache/fetch.XXXXXX")
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$work'" EXIT
    mkdir "$work/wheels" "$work/root"
    download_wheels "$1" "$work/wheels" >&2
    unpack_wheels "$1" "$work/wheels" "$work/root"
    mv -T "$work/root" "$root" || [ -d "$root" ] # another bootstrap may have been faster
    rm -rf "$work"
  fi
  say "LibTorch: $root" >&2
  printf '%s\n' "$root"
}

# A file that includes LibTorch takes up to 1.5 GB to compile; linking and the system need some too.
build_jobs() {
  local cores gigabytes jobs
  cores=$(nproc)
  gigabytes=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  jobs=$((gigabytes / 2 < cores ? gigabytes / 2 : cores))
  printf '%s\n' "$((jobs > 0 ? jobs : 1))"
}

main() {
  local preset=release device=cpu root targets=()
  [ "${CI:-}" = true ] && preset=ci
  while [ $# -gt 0 ]; do
    case $1 in
      --preset) preset=${2:?--preset needs a name}; shift 2 ;;
      --program) targets=(--target kdbench); shift ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; fail "unknown argument: $1" ;;
    esac
  done
  [ "$preset" = cuda ] && device=cuda
  cd "$(dirname "${BASH_SOURCE[0]}")/.."
  install_packages
  root=$(libtorch_root "$device")
  say "Configuring (preset $preset)"
  # What an earlier call found of another LibTorch is forgotten.
  cmake --preset "$preset" -U 'LibTorch_*' -DLIBTORCH_ROOT="$root"
  say "Building"
  cmake --build --preset "$preset" --parallel "$(build_jobs)" "${targets[@]}"
  say "Done"
}

# Sourced by its test: functions only.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  main "$@"
fi
