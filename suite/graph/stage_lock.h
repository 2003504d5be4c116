// SPDX-License-Identifier: MIT
// One job at a time makes a stage or a run, also when jobs on several hosts share <out>. The lock
// is the kernel's (flock) and ends with its holder, however that ends; nothing is left to clean up.
// Where a file server keeps it for a host that is gone, it is known by its silence (heartbeat.h),
// and the lock goes on in a new file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "suite/graph/heartbeat.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

// Holds <out>/.stages/locks/<name> while it lives. Assumes a file system whose flock reaches all
// hosts: local disks, NFS, GPFS, Lustre mounted with "flock". One without locks is warned of once,
// and work goes on: two jobs may then do the same work; of a stage the first to finish wins, of a
// run one of them may fail.
class StageLock {
 public:
  // `what`: its name for people, "teacher MRPC seed 1". While another job holds `name`: without
  // `busy` waits, and says once for what and whom; all ranks sleep meanwhile. With it leaves the
  // lock alone, and `busy` receives on every rank what would be waited for. Collective; throws
  // machine errors on every rank.
  StageLock(const Workspace& workspace, const std::string& name, const std::string& what,
            std::string* busy = nullptr);
  ~StageLock();  // local
  StageLock(const StageLock&) = delete;
  StageLock& operator=(const StageLock&) = delete;

  // On the root: no other job can be at the same work (false on a file system without locks).
  bool held() const { return held_; }

 private:
  // False while another job holds it. Says it where the lock is taken over from one that is gone.
  bool try_lock(const Workspace& workspace, const std::string& what);
  bool refuses();
  void replace_file();
  std::string wanted(const std::string& name, const std::string& what) const;

  std::string file_;
  int descriptor_ = -1;
  bool held_ = false;
  std::unique_ptr<Heartbeat> heartbeat_;
};

// The job that holds <out>/.stages/locks/<name> now, if one does; "host:pid", and since when (UTC).
// Local; leaves the lock as it is.
struct LockHolder {
  std::string who, since;
};
std::optional<LockHolder> lock_holder(const std::filesystem::path& out, const std::string& name);

// Lists a folder that another host may have changed: NFS remembers for a while what it saw there.
// Local.
void look_anew(const std::filesystem::path& folder);

}  // namespace kdbench
