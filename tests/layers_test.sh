#!/bin/bash
# SPDX-License-Identifier: MIT
# Folders are layers: a file includes only files of its own folder and of those that stand above it in the table
# "Folders" of the README beside them. layers_test.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
failed=0

# check README FOLDER...: the include lines below the folders, against the order in README. The files of the README's own
# folder are the layer ".".
check() {
  local readme=$1 prefix
  shift
  prefix=$(dirname "$readme")/
  [ "$prefix" = ./ ] && prefix=
  grep -rH --include='*.h' --include='*.cpp' '^#include "' "$@" |
    awk -v prefix="$prefix" -v readme="$readme" '
      function layer(path) {
        if (substr(path, 1, length(prefix)) != prefix) return ""
        path = substr(path, length(prefix) + 1)
        return path ~ "/" ? substr(path, 1, index(path, "/") - 1) : "."
      }
      function fail(text) { print text; failed = 1 }
      BEGIN {
        while ((getline line < readme) > 0) {
          if (line ~ /^## /) inside = line == "## Folders"
          if (inside && line ~ /^\| folder/) table = 1
          else if (table && line !~ /^\|/) break
          else if (table && match(line, /^\| `[^`]+`/)) place[substr(line, 4, RLENGTH - 4)] = ++layers
        }
        if (layers < 2) fail(readme ": no table of folders")
      }
      {
        file = substr($0, 1, index($0, ":") - 1)
        split($0, parts, "\"")
        own = layer(file)
        other = layer(parts[2])
        if (other == "" || file == "suite/main.cpp" || parts[2] !~ "/") next
        if (!(own in place)) fail(file ": " own " is not in the table of " readme)
        else if (!(other in place)) fail(file ": includes " parts[2] ", and " other " is not in the table of " readme)
        else if (place[other] > place[own]) fail(file ": includes " parts[2] ", of a higher layer")
        ++seen
      }
      END { if (!failed && seen < 10) fail(readme ": no includes found"); exit failed }' || failed=1
}

check CONTRIBUTING.md io methods reports suite
for folder in io methods suite suite/stages; do check "$folder/README.md" "$folder"; done
exit "$failed"
