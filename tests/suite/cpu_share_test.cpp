// SPDX-License-Identifier: MIT
#include "suite/ranks/cpu_share.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace kdbench::cpu_share_test {
namespace {

using Cpus = std::vector<std::set<int>>;

TEST(CpuShare, RanksDivideWhatTheyMayAllUse) {
  const Cpus together{{0, 1, 2, 3}, {0, 1, 2, 3}};
  EXPECT_DOUBLE_EQ(cpu_share(together, 0), 2.0);
  const Cpus apart{{0, 1}, {2, 3}};
  EXPECT_DOUBLE_EQ(cpu_share(apart, 1), 2.0);
  const Cpus overlapping{{0, 1}, {1, 2}};
  EXPECT_DOUBLE_EQ(cpu_share(overlapping, 0), 1.5);
  const Cpus crowded{{0}, {0}, {0}};
  EXPECT_NEAR(cpu_share(crowded, 2), 1.0 / 3.0, 1e-12);
}

TEST(CpuShare, LeastQuotaOfTheCgroupAndItsParents) {
  const testing::TempFolder root;
  EXPECT_FALSE(cgroup_quota(root.path(), "0::/a/b\n").has_value());
  root.write("a/cpu.max", "150000 100000\n");
  root.write("a/b/cpu.max", "max 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_quota(root.path(), "0::/a/b\n").value(), 1.5);
  root.write("a/b/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_quota(root.path(), "1:x:/y\n0::/a/b\n").value(), 0.5);
}

TEST(CpuShare, LegacyQuota) {
  const testing::TempFolder root;
  root.write("cpu/cpu.cfs_quota_us", "-1\n");
  root.write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_FALSE(cgroup_quota(root.path(), "").has_value());
  root.write("cpu/cpu.cfs_quota_us", "300000\n");
  EXPECT_DOUBLE_EQ(cgroup_quota(root.path(), "").value(), 3.0);
}

TEST(CpuShare, ThisProcessHasAtLeastOneCpu) { EXPECT_GE(affinity_cpus().size(), 1u); }

}  // namespace
}  // namespace kdbench::cpu_share_test
