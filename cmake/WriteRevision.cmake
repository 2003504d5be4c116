# SPDX-License-Identifier: MIT
# Script: writes OUTPUT with the commit of SOURCE and whether its tree is clean.
execute_process(COMMAND git -C ${SOURCE} rev-parse --verify HEAD
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  set(commit unknown) # An archive without .git, no commit yet, or no git.
endif()
execute_process(COMMAND git -C ${SOURCE} status --porcelain OUTPUT_VARIABLE changes RESULT_VARIABLE failed ERROR_QUIET)
set(clean true)
if(failed OR changes)
  set(clean false)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#pragma once
#define KDBENCH_GIT_COMMIT \"${commit}\"
#define KDBENCH_GIT_CLEAN ${clean}
")
