# SPDX-License-Identifier: MIT
# What the folders' CMakeLists.txt are made of: one line a library, one line a test.

# A source without code, for targets that only carry something.
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/empty.cpp" CONTENT "// No code.\n")

# The one precompiled header, parsed once here and reused by every target: tensors and their functions. <torch/torch.h>
# (modules, optimizers, data loaders) would cost every file 5 s more just to load; a file that needs more than tensors
# includes that header itself, e.g. <torch/csrc/autograd/custom_function.h>. No header of the project: its path would
# stand in every key of ccache, and another clone would compile everything again.
add_library(kdbench_pch STATIC "${PROJECT_BINARY_DIR}/empty.cpp")
target_link_libraries(kdbench_pch PUBLIC kdbench_torch PRIVATE kdbench_options)
target_precompile_headers(kdbench_pch PRIVATE <torch/types.h>)

# kdbench_use_torch(TARGET): links LibTorch and reuses the precompiled header.
function(kdbench_use_torch target)
  target_link_libraries(${target} PUBLIC kdbench_torch PRIVATE kdbench_options)
  target_precompile_headers(${target} REUSE_FROM kdbench_pch)
endfunction()

# kdbench_add_library(NAME [LIBS ...] [FOLDERS folders...] [ALONE files...] [WITHOUT_TORCH folders...]): all sources of
# the current folder and its subfolders, or of FOLDERS alone, as one library. ALONE: never merged with others. WITHOUT_TORCH: what lies there uses no tensors and is
# compiled without the precompiled header, whose loading would cost more than the rest.
function(kdbench_add_library name)
  cmake_parse_arguments(arg "" "" "LIBS;FOLDERS;ALONE;WITHOUT_TORCH" ${ARGN})
  list(TRANSFORM arg_FOLDERS APPEND "/*.cpp" OUTPUT_VARIABLE patterns)
  if(NOT patterns)
    set(patterns "*.cpp")
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${patterns})
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT KDBENCH_CUDA)
    list(FILTER sources EXCLUDE REGEX "/nccl_[a-z_]*\\.cpp$")
  endif()
  list(TRANSFORM arg_ALONE PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  list(REMOVE_ITEM sources ${arg_ALONE})
  set(units ${arg_ALONE})
  foreach(folder IN LISTS arg_WITHOUT_TORCH)
    set(plain ${sources})
    list(FILTER plain INCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${folder}")
    list(REMOVE_ITEM sources ${plain})
    kdbench_merge_sources(plain 16 ${plain})
    set_source_files_properties(${plain} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    list(APPEND units ${plain})
  endforeach()
  kdbench_merge_sources(sources 10 ${sources})
  list(APPEND units ${sources})
  if(NOT units) # So far a folder of headers only.
    set(units "${PROJECT_BINARY_DIR}/empty.cpp")
  endif()
  add_library(${name} STATIC ${units})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PUBLIC ${arg_LIBS})
  kdbench_use_torch(${name})
endfunction()

# kdbench_add_program(NAME SOURCES... [LIBS ...]): a program in the root of the build folder.
function(kdbench_add_program name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${arg_LIBS})
  kdbench_use_torch(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()

# kdbench_register_test(NAME TIMEOUT LABELS PROCESSORS COMMAND...): a ctest entry; exit code 77 means skipped.
function(kdbench_register_test name timeout labels processors)
  if(KDBENCH_SANITIZE) # which makes programs slower by as much
    math(EXPR timeout "4 * ${timeout}")
  endif()
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT "${timeout}" LABELS "${labels}" PROCESSORS "${processors}"
                       SKIP_RETURN_CODE 77 ENVIRONMENT "${KDBENCH_TEST_ENVIRONMENT}")
endfunction()

# kdbench_add_test(NAME SOURCE file [LIBS ...] [LABELS ...] [RANKS 1 2 3] [TIMEOUT seconds]): a GoogleTest program;
# with RANKS one ctest entry for each number of ranks, under mpirun, else one plain entry. The folder's name is one
# more label, and tests_<folder> a target that builds the folder's tests alone. With KDBENCH_UNITY tests_<folder> is the
# one program of them all, of which an entry runs the tests of its SOURCE, and NAME another name of that target.
function(kdbench_add_test name)
  cmake_parse_arguments(arg "" "SOURCE;TIMEOUT" "LIBS;LABELS;RANKS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
  list(APPEND arg_LABELS ${folder})
  if(KDBENCH_UNITY)
    kdbench_merge_test(tests_${folder} ${arg_SOURCE} ${arg_LIBS})
    add_custom_target(${name})
    add_dependencies(${name} tests_${folder})
    set(program $<TARGET_FILE:tests_${folder}> --test_file=${arg_SOURCE})
  else()
    kdbench_add_test_program(${name} ${arg_SOURCE} ${arg_LIBS})
    if(NOT TARGET tests_${folder})
      add_custom_target(tests_${folder})
    endif()
    add_dependencies(tests_${folder} ${name})
    set(program $<TARGET_FILE:${name}>)
  endif()
  if(NOT arg_RANKS)
    kdbench_register_test(${name} ${arg_TIMEOUT} "${arg_LABELS}" 1 ${program})
  endif()
  foreach(ranks IN LISTS arg_RANKS)
    kdbench_register_test(${name}.ranks${ranks} ${arg_TIMEOUT} "${arg_LABELS}" ${ranks}
      ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} ${MPIEXEC_PREFLAGS} ${program} ${MPIEXEC_POSTFLAGS})
  endforeach()
endfunction()

function(kdbench_add_test_program name sources)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARGN} kdbench_test_main)
  kdbench_use_torch(${name})
endfunction()

# Remembers a source and libraries of the program that the tests of the current folder become at the folder's end.
function(kdbench_merge_test program source)
  get_property(sources DIRECTORY PROPERTY kdbench_test_sources)
  if(NOT sources)
    cmake_language(EVAL CODE "cmake_language(DEFER CALL kdbench_add_merged_tests ${program})")
  endif()
  set_property(DIRECTORY APPEND PROPERTY kdbench_test_sources "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
  set_property(DIRECTORY APPEND PROPERTY kdbench_test_libraries ${ARGN})
endfunction()

function(kdbench_add_merged_tests program)
  get_property(sources DIRECTORY PROPERTY kdbench_test_sources)
  get_property(libraries DIRECTORY PROPERTY kdbench_test_libraries)
  list(REMOVE_DUPLICATES sources)
  list(REMOVE_DUPLICATES libraries)
  kdbench_merge_sources(units 7 ${sources})
  kdbench_add_test_program(${program} "${units}" ${libraries})
endfunction()
