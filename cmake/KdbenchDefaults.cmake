# SPDX-License-Identifier: MIT
# Language, warnings, sanitizers and the compiler cache, for every target of the project.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# Not CMAKE_POSITION_INDEPENDENT_CODE: programs would get -fPIE and could not share the libraries' precompiled header.
add_compile_options(-fPIC)
# GCC vectorises square roots only when errno need not be set. For all targets: the precompiled header is shared.
add_compile_options(-fno-math-errno)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
# One RPATH for both: CMake pads one of the build alone with empty entries, which stand for the working folder.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)

add_library(kdbench_options INTERFACE)
target_compile_options(kdbench_options INTERFACE -Wall -Wextra -Wpedantic -Wno-unused-parameter
                       $<$<BOOL:${KDBENCH_WERROR}>:-Werror>)

# The containers' own checks, of indices and iterators; GNU's library alone reads the name.
target_compile_definitions(kdbench_options INTERFACE $<$<BOOL:${KDBENCH_ASSERTIONS}>:_GLIBCXX_ASSERTIONS>)

if(KDBENCH_SANITIZE)
  include(CheckCXXSourceCompiles)
  set(sanitizers -fsanitize=address,undefined)
  set(CMAKE_REQUIRED_FLAGS ${sanitizers})
  check_cxx_source_compiles("int main() { return 0; }" KDBENCH_HAS_SANITIZERS)
  unset(CMAKE_REQUIRED_FLAGS)
  if(NOT KDBENCH_HAS_SANITIZERS)
    message(FATAL_ERROR "kdbench: KDBENCH_SANITIZE is on, but ${CMAKE_CXX_COMPILER} cannot link with ${sanitizers} "
                        "(libasan and libubsan belong to the compiler).")
  endif()
  target_compile_options(kdbench_options INTERFACE ${sanitizers} -fno-omit-frame-pointer
                         -fno-sanitize-recover=undefined)
  target_link_options(kdbench_options INTERFACE ${sanitizers})
  target_compile_definitions(kdbench_options INTERFACE KDBENCH_SANITIZE)
endif()

if(KDBENCH_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "kdbench: KDBENCH_FUZZ is on, but ${CMAKE_CXX_COMPILER} is not clang, which brings libFuzzer. "
                        "The preset fuzz takes clang++.")
  endif()
  target_compile_options(kdbench_options INTERFACE -fsanitize=fuzzer-no-link)
  # LibTorch's headers have loops that need clang's own runtime.
  target_link_options(kdbench_options INTERFACE -fopenmp)
endif()

find_program(CCACHE_PROGRAM ccache)
mark_as_advanced(CCACHE_PROGRAM)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache takes a precompiled header only when it may ignore the header's times and __TIME__. What lies in this clone is
  # named relative to it, so that another clone of the same sources finds the same objects. Of what is not in the cache
  # the compiler itself says what it included (CCACHE_DEPEND): no run of the preprocessor before it.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=true CCACHE_DEPEND=true
      "${CCACHE_PROGRAM}")
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>)
endif()
