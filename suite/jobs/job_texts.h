// SPDX-License-Identifier: MIT
// The files of slurm/ that job scripts are made of, as CMake finds them there.
#pragma once

namespace kdbench {

extern const char* const kJobText;   // slurm/job.sh
extern const char* const kSiteText;  // slurm/site.sh

}  // namespace kdbench
