# SPDX-License-Identifier: MIT
# LibTorch as imported targets, from an unpacked archive or wheel, a Python or conda environment, a module, or
# the folder that suite/bootstrap.sh keeps. LIBTORCH_ROOT (variable or environment) wins, then CMAKE_PREFIX_PATH.
#   LibTorch::Cpu       libtorch_cpu, libc10 and the OpenMP runtime that they use
#   LibTorch::Cuda      the same, libtorch_cuda and libc10_cuda; only where the LibTorch found has them
# LibTorch's own package file is not used: it insists on a full CUDA toolkit and cannot take C++20.

# What LIBTORCH_ROOT names is searched alone: a wrong path must not fall back on some other LibTorch.
set(_libtorch_roots "${LIBTORCH_ROOT}" "$ENV{LIBTORCH_ROOT}")
list(FILTER _libtorch_roots EXCLUDE REGEX "^$")
if(_libtorch_roots)
  list(GET _libtorch_roots 0 _libtorch_roots)
  set(_libtorch_search HINTS "${_libtorch_roots}" NO_DEFAULT_PATH)
else()
  set(_libtorch_cache "$ENV{KDBENCH_CACHE}")
  if(NOT _libtorch_cache)
    set(_libtorch_cache "$ENV{HOME}/.cache/kdbench")
    if(DEFINED ENV{XDG_CACHE_HOME})
      set(_libtorch_cache "$ENV{XDG_CACHE_HOME}/kdbench")
    endif()
  endif()
  set(_libtorch_device cpu)
  if(KDBENCH_CUDA)
    set(_libtorch_device cuda)
  endif()
  file(GLOB _libtorch_cached "${_libtorch_cache}/libtorch-*-${_libtorch_device}")
  # A Torch_DIR is <root>/share/cmake/Torch.
  set(_libtorch_search HINTS "${Torch_DIR}/../../.." ENV CONDA_PREFIX ENV VIRTUAL_ENV
      PATHS ${_libtorch_cached})
endif()

# Archives have lib/ and include/; wheels torch/lib; environments lib/python3.X/site-packages/torch/lib.
set(_libtorch_folders "" torch libtorch)
foreach(_root IN ITEMS ${_libtorch_roots} $ENV{CONDA_PREFIX} $ENV{VIRTUAL_ENV} ${CMAKE_PREFIX_PATH})
  file(GLOB _site RELATIVE "${_root}" "${_root}/lib/python3*/site-packages/torch")
  list(APPEND _libtorch_folders ${_site})
endforeach()
list(REMOVE_DUPLICATES _libtorch_folders)
list(TRANSFORM _libtorch_folders APPEND "/lib" OUTPUT_VARIABLE _libtorch_lib)
list(TRANSFORM _libtorch_folders APPEND "/include" OUTPUT_VARIABLE _libtorch_include)
list(TRANSFORM _libtorch_lib REPLACE "^/" "")
list(TRANSFORM _libtorch_include REPLACE "^/" "")

find_library(LibTorch_CPU_LIBRARY torch_cpu ${_libtorch_search} PATH_SUFFIXES ${_libtorch_lib})
get_filename_component(LibTorch_LIBRARY_DIR "${LibTorch_CPU_LIBRARY}" DIRECTORY)
# Everything else must come from the same place as libtorch_cpu.
find_library(LibTorch_C10_LIBRARY c10 HINTS "${LibTorch_LIBRARY_DIR}" NO_DEFAULT_PATH)
find_library(LibTorch_CUDA_LIBRARY torch_cuda HINTS "${LibTorch_LIBRARY_DIR}" NO_DEFAULT_PATH)
find_library(LibTorch_C10_CUDA_LIBRARY c10_cuda HINTS "${LibTorch_LIBRARY_DIR}" NO_DEFAULT_PATH)
find_path(LibTorch_INCLUDE_DIR torch/csrc/api/include/torch/torch.h HINTS "${LibTorch_LIBRARY_DIR}/../include"
          ${_libtorch_search} PATH_SUFFIXES ${_libtorch_include})
mark_as_advanced(LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_CUDA_LIBRARY LibTorch_C10_CUDA_LIBRARY
                 LibTorch_INCLUDE_DIR)

# Reads the version from the header that holds it (it moved in 2.9) into `result`.
function(_libtorch_version include_dir result)
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS "${include_dir}/${header}")
      file(READ "${include_dir}/${header}" text)
      if(text MATCHES "define TORCH_VERSION[ \\\n]+\"([0-9.]+)")
        set(${result} "${CMAKE_MATCH_1}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()
_libtorch_version("${LibTorch_INCLUDE_DIR}" LibTorch_VERSION)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "Give -DLIBTORCH_ROOT=<folder of LibTorch>, or run suite/bootstrap.sh once: it fetches one.")

if(NOT LibTorch_FOUND OR TARGET LibTorch::Cpu)
  return()
endif()

# Libraries that LibTorch itself needs: in the nvidia folder beside a wheel's torch folder, else in the CUDA toolkit.
get_filename_component(_libtorch_beside "${LibTorch_LIBRARY_DIR}/../.." ABSOLUTE)
file(GLOB LibTorch_RUNTIME_DIRS LIST_DIRECTORIES true "${_libtorch_beside}/nvidia/*/lib")
set(_libtorch_toolkit "")
if(LibTorch_CUDA_LIBRARY)
  find_package(CUDAToolkit QUIET)
  if(CUDAToolkit_FOUND)
    file(GLOB _libtorch_toolkit LIST_DIRECTORIES true "${CUDAToolkit_LIBRARY_DIR}"
         "${CUDAToolkit_LIBRARY_ROOT}/extras/CUPTI/lib64")
  endif()
endif()
if(NOT LibTorch_RUNTIME_DIRS)
  set(LibTorch_RUNTIME_DIRS ${_libtorch_toolkit})
endif()
list(PREPEND LibTorch_RUNTIME_DIRS "${LibTorch_LIBRARY_DIR}")

# The OpenMP runtime that LibTorch uses: a second one in the process would mean a second pool of threads.
file(GLOB _libtorch_openmp "${LibTorch_LIBRARY_DIR}/libgomp*.so*")
if(NOT _libtorch_openmp)
  find_package(OpenMP REQUIRED COMPONENTS CXX)
  set(_libtorch_openmp ${OpenMP_CXX_LIBRARIES})
endif()

add_library(LibTorch::Cpu INTERFACE IMPORTED)
target_include_directories(LibTorch::Cpu SYSTEM INTERFACE "${LibTorch_INCLUDE_DIR}"
                           "${LibTorch_INCLUDE_DIR}/torch/csrc/api/include")
target_compile_options(LibTorch::Cpu INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
target_link_libraries(LibTorch::Cpu INTERFACE "${LibTorch_CPU_LIBRARY}" "${LibTorch_C10_LIBRARY}"
                      ${_libtorch_openmp})
# DT_RPATH, not RUNPATH: it also serves the libraries that LibTorch's libraries load in turn.
list(TRANSFORM LibTorch_RUNTIME_DIRS PREPEND "LINKER:-rpath," OUTPUT_VARIABLE _libtorch_rpath)
target_link_options(LibTorch::Cpu INTERFACE "LINKER:--disable-new-dtags" "LINKER:--allow-shlib-undefined"
                    ${_libtorch_rpath})

if(LibTorch_CUDA_LIBRARY AND LibTorch_C10_CUDA_LIBRARY)
  add_library(LibTorch::Cuda INTERFACE IMPORTED)
  # Kernels register themselves by static initialisers: nothing refers to the libraries by name.
  target_link_libraries(LibTorch::Cuda INTERFACE LibTorch::Cpu)
  list(TRANSFORM _libtorch_toolkit PREPEND "LINKER:-rpath," OUTPUT_VARIABLE _libtorch_rpath)
  target_link_options(LibTorch::Cuda INTERFACE ${_libtorch_rpath}
    "LINKER:--push-state,--no-as-needed,${LibTorch_CUDA_LIBRARY},${LibTorch_C10_CUDA_LIBRARY},--pop-state")
endif()
