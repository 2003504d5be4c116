// SPDX-License-Identifier: MIT
// Wall time of parts of a work that a device does, as it passes on the device: a host that only
// hands work over would measure that. On the CPU the host's clock.
#pragma once

#include <c10/core/Device.h>

#include <memory>

namespace kdbench {

class SectionTimes {
 public:
  explicit SectionTimes(c10::Device device);
  ~SectionTimes();
  SectionTimes(const SectionTimes&) = delete;
  SectionTimes& operator=(const SectionTimes&) = delete;

  // From now until the object ends: added to `*seconds`, on a GPU in settle().
  class Section {
   public:
    ~Section();
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

   private:
    friend class SectionTimes;
    struct Part;
    Section(SectionTimes& times, double* seconds);
    SectionTimes& times_;
    std::unique_ptr<Part> part_;
  };
  [[nodiscard]] Section section(double* seconds) { return Section(*this, seconds); }

  // Waits for the sections that have ended and adds their times. Nothing to do on the CPU.
  void settle();

 private:
  struct Ended;
  c10::Device device_;
  std::unique_ptr<Ended> ended_;
};

}  // namespace kdbench
