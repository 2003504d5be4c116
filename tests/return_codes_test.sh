#!/bin/bash
# SPDX-License-Identifier: MIT
# Somebody looks at the return code of every call of HDF5 and of MPI: none is a statement of its own.
# return_codes_test.sh SOURCE_FOLDER
set -u
cd "$1" || exit 1
# They say nothing of use: errors are read or hidden, the job ends anyway, what cannot fail is asked.
free='H5(Eset_auto2|Ewalk2|Eclear2|get_libversion|dont_atexit)|MPI_(Type_free|Comm_free|Initialized|Finalized|Finalize|Query_thread|Get_library_version)'
find io methods reports suite -name '*.cpp' -o -name '*.h' | grep -v '^io/base/end_job.cpp$' | sort | xargs awk -v free="^ *($free)\\\\(" '
  FNR == 1 { before = ";" }
  /^ *(\/\/.*)?$/ { next }
  /^ *(H5[A-Z][A-Za-z0-9_]*|MPI_[A-Z][A-Za-z_]*)\(/ && before ~ /[;{}]$|^ *(if|for|while) \(.*\)$|^ *else$/ && $0 !~ free {
    print FILENAME ":" FNR ": " $0
    failed = 1
  }
  /^ *(if|for|while) \(.*\) (H5[A-Z][A-Za-z0-9_]*|MPI_[A-Z][A-Za-z_]*)\([^=<>]*;$/ {
    if ($0 !~ /MPI_Comm_free/) { print FILENAME ":" FNR ": " $0; failed = 1 }
  }
  match($0, /[{;] *(H5[A-Z][A-Za-z0-9_]*|MPI_[A-Z][A-Za-z_]*)\(/) {
    call = substr($0, RSTART + 1)
    if (call !~ free) { print FILENAME ":" FNR ": " $0; failed = 1 }
  }
  { before = $0; sub(/ *\/\/.*$/, "", before) }
  END { exit failed }'
