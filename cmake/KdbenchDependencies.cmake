# SPDX-License-Identifier: MIT
# Every package of the project as a target. All that is missing is named at once, with its Debian package.
set(_kdbench_missing "")

# kdbench_find(TARGET DEBIAN_PACKAGE find_package arguments...): a macro, since callers read the package's variables.
macro(kdbench_find target debian)
  find_package(${ARGN} QUIET)
  if(NOT TARGET ${target})
    list(APPEND _kdbench_missing "${debian}")
  endif()
endmacro()

# Not every distribution ships toml++ with a CMake package.
function(kdbench_find_tomlplusplus)
  find_package(tomlplusplus QUIET)
  if(NOT TARGET tomlplusplus::tomlplusplus)
    find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h)
    if(TOMLPLUSPLUS_INCLUDE_DIR)
      add_library(tomlplusplus::tomlplusplus INTERFACE IMPORTED GLOBAL)
      target_include_directories(tomlplusplus::tomlplusplus INTERFACE "${TOMLPLUSPLUS_INCLUDE_DIR}")
    endif()
  endif()
endfunction()

# Not by libzip's own CMake package: Debian's asks for tools that it ships elsewhere.
function(kdbench_find_libzip)
  find_path(LIBZIP_INCLUDE_DIR zip.h)
  find_library(LIBZIP_LIBRARY zip)
  if(LIBZIP_INCLUDE_DIR AND LIBZIP_LIBRARY)
    add_library(libzip::zip UNKNOWN IMPORTED GLOBAL)
    set_target_properties(libzip::zip PROPERTIES IMPORTED_LOCATION "${LIBZIP_LIBRARY}"
                          INTERFACE_INCLUDE_DIRECTORIES "${LIBZIP_INCLUDE_DIR}")
  endif()
endfunction()

set(HDF5_PREFER_PARALLEL ON)
kdbench_find(Threads::Threads libc6-dev Threads)
kdbench_find(MPI::MPI_C libopenmpi-dev MPI COMPONENTS C)
kdbench_find(hdf5::hdf5 libhdf5-openmpi-dev HDF5 COMPONENTS C)
kdbench_find(CLI11::CLI11 libcli11-dev CLI11)
kdbench_find(nlohmann_json::nlohmann_json nlohmann-json3-dev nlohmann_json)
kdbench_find(fmt::fmt libfmt-dev fmt)
kdbench_find(spdlog::spdlog libspdlog-dev spdlog)
kdbench_find(ICU::i18n libicu-dev ICU COMPONENTS uc i18n data)
kdbench_find(OpenSSL::Crypto libssl-dev OpenSSL COMPONENTS Crypto)
kdbench_find_tomlplusplus()
if(NOT TARGET tomlplusplus::tomlplusplus)
  list(APPEND _kdbench_missing libtomlplusplus-dev)
endif()
kdbench_find_libzip()
if(NOT TARGET libzip::zip)
  list(APPEND _kdbench_missing libzip-dev)
endif()
if(KDBENCH_TESTS)
  kdbench_find(GTest::gtest "libgtest-dev (or -DKDBENCH_TESTS=OFF)" GTest)
endif()
if(KDBENCH_BENCHMARKS)
  kdbench_find(benchmark::benchmark "libbenchmark-dev (or -DKDBENCH_BENCHMARKS=OFF)" benchmark)
endif()
if(_kdbench_missing)
  list(JOIN _kdbench_missing "\n  " _kdbench_missing)
  message(FATAL_ERROR "kdbench: not found; the names are Debian's packages:\n  ${_kdbench_missing}\n"
                      "`bash suite/bootstrap.sh` installs them on Debian and Ubuntu.")
endif()
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "kdbench: the HDF5 found (${HDF5_C_LIBRARIES}) is serial, but ranks write the stores "
                      "together. Debian package: libhdf5-openmpi-dev; elsewhere set HDF5_ROOT to a parallel one.")
endif()
find_package(LibTorch REQUIRED)

# The LibTorch that this build uses.
add_library(kdbench_torch INTERFACE)
if(KDBENCH_CUDA)
  find_package(CUDAToolkit REQUIRED)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(NCCL_LIBRARY nccl HINTS "${CUDAToolkit_LIBRARY_DIR}")
  if(NOT NCCL_INCLUDE_DIR OR NOT NCCL_LIBRARY)
    message(FATAL_ERROR "kdbench: KDBENCH_CUDA is on, but there is no NCCL beside the CUDA toolkit in "
                        "${CUDAToolkit_LIBRARY_DIR}. Set NCCL_INCLUDE_DIR and NCCL_LIBRARY.")
  endif()
  if(NOT TARGET LibTorch::Cuda)
    message(FATAL_ERROR "kdbench: KDBENCH_CUDA is on, but the LibTorch in ${LibTorch_LIBRARY_DIR} has no "
                        "libtorch_cuda.so. `bash suite/bootstrap.sh --preset cuda` fetches one that does.")
  endif()
  target_link_libraries(kdbench_torch INTERFACE LibTorch::Cuda CUDA::cudart "${NCCL_LIBRARY}")
  target_include_directories(kdbench_torch SYSTEM INTERFACE "${NCCL_INCLUDE_DIR}" ${CUDAToolkit_INCLUDE_DIRS})
  target_compile_definitions(kdbench_torch INTERFACE KDBENCH_CUDA)
else()
  target_link_libraries(kdbench_torch INTERFACE LibTorch::Cpu)
endif()

# LibTorch's include folder holds an fmt of its own, of another version than the fmt that is linked: ours comes first.
get_target_property(fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
list(GET fmt_include 0 fmt_include)
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/first")
file(CREATE_LINK "${fmt_include}/fmt" "${PROJECT_BINARY_DIR}/first/fmt" SYMBOLIC)
target_include_directories(kdbench_torch SYSTEM INTERFACE "${PROJECT_BINARY_DIR}/first")

# MPI without its removed C++ bindings; parallel HDF5 through its C API.
add_library(kdbench_mpi INTERFACE)
target_link_libraries(kdbench_mpi INTERFACE MPI::MPI_C)
target_compile_definitions(kdbench_mpi INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
add_library(kdbench_hdf5 INTERFACE)
target_link_libraries(kdbench_hdf5 INTERFACE hdf5::hdf5 kdbench_mpi)
