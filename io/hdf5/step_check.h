// SPDX-License-Identifier: MIT
// HDF5 1.10 goes on after some of its own failures: of a file whose cache it could not flush for
// want of memory it still sets the size, which is collective. The other ranks are elsewhere then,
// and all wait for ever. So the collective calls of MPI pass through here, by MPI's profiling
// interface: while a file is written, a rank on which HDF5 lacked memory makes none, and ends the
// job; so does one on which they fail.
#pragma once

namespace kdbench::hdf5 {

class StepCheck {
 public:
  // Of a file that is written; nothing is checked for the others.
  explicit StepCheck(bool writing);
  ~StepCheck();
  StepCheck(const StepCheck&) = delete;
  StepCheck& operator=(const StepCheck&) = delete;

 private:
  const bool writing_;
};

}  // namespace kdbench::hdf5
