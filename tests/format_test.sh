#!/bin/bash
# SPDX-License-Identifier: MIT
# Every source is as clang-format 14 writes it, of which another version thinks otherwise. format_test.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
for program in clang-format-14 clang-format; do
  "$program" --version 2>/dev/null | grep -q 'version 14\.' || continue
  find io methods reports suite tests -name '*.h' -o -name '*.cpp' | xargs "$program" --dry-run --Werror
  exit
done
echo "no clang-format 14 (Debian 12: apt-get install clang-format)"
exit 77
