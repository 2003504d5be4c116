#!/bin/bash
# SPDX-License-Identifier: MIT
# bootstrap_test.sh SOURCE_FOLDER: how suite/bootstrap.sh installs packages, with made-up sudo, apt-get, dpkg-query and id
# on PATH: whatever they do, it goes on and says what is missing.
set -u
source_folder=$1
# shellcheck source=tests/support/expect.sh
. "$(dirname "$0")/../support/expect.sh"

# stub NAME LINE...: a program of the made-up PATH.
stub() {
  local name=$1
  shift
  printf '%s\n' '#!/bin/bash' 'printf "%s\n" "${0##*/} $*" >>"$calls"' "$@" >"$folder/bin/$name"
  chmod +x "$folder/bin/$name"
}

# A Debian machine of a user with sudo, where two packages are missing and apt-get works.
fresh() {
  rm -rf "${folder:?}/bin"
  mkdir "$folder/bin"
  for program in env sed cat bash; do ln -s "$(command -v $program)" "$folder/bin/$program"; done
  stub id 'echo 1000'
  stub dpkg-query 'case ${*: -1} in' \
    'ninja-build | libzip-dev) [ -e "$installed" ] && echo -n installed || exit 1 ;;' '*) echo -n installed ;;' 'esac'
  stub apt-cache
  stub apt-get ': >"$installed"' 'echo "Setting up $2"'
  stub sudo '[ "$1" = -n ] && exit' 'exec "$@"'
  rm -f "$folder/installed"
  : >"$folder/calls"
}

# install_packages alone, strict as bootstrap.sh is, without a terminal.
install() {
  env -i PATH="$folder/bin" calls="$folder/calls" installed="$folder/installed" \
    bash -c "source '$source_folder/suite/bootstrap.sh'; install_packages; echo went on"
}
called() { grep -qxF -- "$1" "$folder/calls" || problem "not called: $1"; }
never_called() { ! grep -q -- "^$1" "$folder/calls" || problem "called: $1"; }
went_on() { [ "$(tail -n 1 <<<"$output")" = "went on" ] || problem "bootstrap ended: $output"; }
without='Not installed, going on without: ninja-build libzip-dev'

fresh
expect 0 'Installing ninja-build libzip-dev' install
went_on
called 'apt-get install -y -q --no-install-recommends ninja-build libzip-dev'
never_called 'apt-get update'

fresh
touch "$folder/installed"
expect 0 'All Debian packages are there' install
went_on
never_called sudo

fresh
stub id 'echo 0'
expect 0 'Setting up' install
never_called sudo

# Lists of packages that are old or not there yet.
fresh
stub apt-cache 'exit 100'
expect 0 'Setting up' install
called 'apt-get update -q'

# sudo wants a password and nobody can type it; sudo refuses; there is none.
fresh
stub sudo 'echo "sudo: a password is required" >&2; exit 1'
expect 0 "$without" install
went_on
never_called apt-get
called 'sudo -n true'
never_called 'sudo -v'
fresh
rm "$folder/bin/sudo"
expect 0 "$without" install
went_on

# sudo lets us, but not do this; apt-get fails.
fresh
stub sudo '[ "$1" = -n ] && exit' 'echo "Sorry, user me is not allowed to execute that" >&2; exit 1'
expect 0 "$without" install
went_on
fresh
stub apt-get 'exit 100'
expect 0 'apt-get failed' install
grep -qF "$without" <<<"$output" || problem "does not say what is missing"
went_on
called 'apt-get update -q'
# Half of it is there in the end.
fresh
stub apt-get '[ "$1" = update ] && exit' ': >"$installed"; exit 100'
stub dpkg-query '[ ${*: -1} = libzip-dev ] && exit 1' \
  '[ ${*: -1} != ninja-build ] || [ -e "$installed" ] && echo -n installed'
expect 0 'Not installed, going on without: libzip-dev' install

# A password is asked for where somebody can type it.
if command -v script >/dev/null; then
  fresh
  stub sudo '[ "$1" = -n ] && exit 1' '[ "$1" = -v ] && exit' 'exec "$@"'
  export -f install
  export folder source_folder
  expect 0 'Setting up' env SHELL=/bin/bash script -qec install /dev/null
  called 'sudo -v'
fi

fresh
rm "$folder/bin/apt-get"
expect 0 "Not a Debian or Ubuntu system" install
grep -q 'suite/environment.yml' <<<"$output" || problem "names no recipe for others"
went_on
never_called sudo

# The recipes for conda and Spack, and their table, name what Debian's list does.
mapfile -t debian < <(env -i PATH="$folder/bin" \
  bash -c "source '$source_folder/suite/bootstrap.sh'; printf '%s\n' \"\${packages[@]}\"")
[ ${#debian[@]} -gt 15 ] || problem "no list of packages"
for package in "${debian[@]}"; do
  grep -q "^|.*\`$package\`" "$source_folder/suite/README.md" || problem "suite/README.md has no line for $package"
done
recipe_names() { sed -n 's/^ *- "\{0,1\}\([a-z_0-9-]*\).*/\1/p' "$source_folder/suite/$1"; }
for file in environment.yml spack.yaml; do
  [ "$(recipe_names $file | wc -l)" -gt 15 ] || problem "no list in $file"
  for package in $(recipe_names $file); do
    grep -q "^|.*\`$package\`" "$source_folder/suite/README.md" || problem "no line for $package of $file in README.md"
  done
done

[ "$failures" = 0 ] && echo "all as expected"
exit $((failures > 0)) # not the number: 77 would count as skipped
