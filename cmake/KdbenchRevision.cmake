# SPDX-License-Identifier: MIT
# Git commit and tree state, asked at each build; revision.h is rewritten only when they change.
add_custom_target(kdbench_revision
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${PROJECT_BINARY_DIR}/generated/revision.h
          -P ${CMAKE_CURRENT_LIST_DIR}/WriteRevision.cmake
  BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/revision.h
  VERBATIM)
