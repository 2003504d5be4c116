// SPDX-License-Identifier: MIT
// Where MPI and scratch files live: TMPDIR, or /tmp.
#pragma once

namespace kdbench {

// Before MPI starts. Throws a machine error when this host's folder of temporary files takes no new
// ones or is nearly full: Open MPI may hang in MPI_Init then, or die of a signal later. Of the
// ranks of a host one throws at once; the others give it time to end them all.
void check_temporary_folder();

}  // namespace kdbench
