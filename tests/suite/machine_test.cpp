// SPDX-License-Identifier: MIT
// Facts about a machine from made-up kernel files, and what the doctor makes of them.
#include "suite/machine/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "suite/machine/findings.h"
#include "suite/machine/host_layout.h"
#include "tests/support/temp_folder.h"

namespace kdbench::machine_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Machine, LeastOfTheMemoryLimitsOfACgroupAndItsParents) {
  const testing::TempFolder root;
  EXPECT_FALSE(memory_left_in_cgroup(root.path(), "0::/job/step\n").has_value());
  root.write("job/memory.max", "1000\n");
  root.write("job/memory.current", "400\n");
  root.write("job/step/memory.max", "max\n");
  root.write("job/step/memory.current", "100\n");
  EXPECT_EQ(memory_left_in_cgroup(root.path(), "0::/job/step\n"), 600);
  root.write("job/step/memory.max", "150\n");
  EXPECT_EQ(memory_left_in_cgroup(root.path(), "0::/job/step\n"), 50);
  root.write("job/step/memory.max", "50\n");  // already over it
  EXPECT_EQ(memory_left_in_cgroup(root.path(), "0::/job/step\n"), 0);
}

TEST(Machine, MemoryLimitsOfTheFirstVersion) {
  const testing::TempFolder root;
  root.write("memory/memory.limit_in_bytes", "9223372036854771712\n");  // none
  root.write("memory/memory.usage_in_bytes", "5\n");
  root.write("memory/slurm/memory.limit_in_bytes", "3000\n");
  root.write("memory/slurm/memory.usage_in_bytes", "1000\n");
  EXPECT_EQ(memory_left_in_cgroup(root.path(), "4:memory:/slurm\n3:cpu:/x\n"), 2000);
}

TEST(Machine, TheLongestMountPointHoldsTheFolder) {
  const std::string mounts =
      "/dev/vda / ext4 rw 0 0\n"
      "server:/scratch /scratch nfs4 rw 0 0\n"
      "tmpfs /scratch/tmp tmpfs rw 0 0\n";
  EXPECT_EQ(find_mount(mounts, "/home/me").type, "ext4");
  EXPECT_EQ(find_mount(mounts, "/scratch/me").type, "nfs4");
  EXPECT_EQ(find_mount(mounts, "/scratch/tmp/x").type, "tmpfs");
  EXPECT_EQ(find_mount(mounts, "/scratchy").mount, "/");
}

TEST(Machine, DiskOfAFolderThatIsNotThereYet) {
  const testing::TempFolder root;
  EXPECT_GT(disk_of(root / "a/b/c").free_bytes, 0);
  EXPECT_FALSE(disk_of(root / "a/b/c").type.empty());
}

TEST(Machine, GpusByNameOrByDeviceFile) {
  const testing::TempFolder root;
  EXPECT_TRUE(gpu_names(root.path()).empty());
  root.write("dev/nvidia0", "");
  EXPECT_THAT(gpu_names(root.path()), ElementsAre("NVIDIA GPU (/dev/nvidia0)"));
  root.write("proc/driver/nvidia/gpus/0000:01:00.0/information",
             "Model: \t\t NVIDIA H200\nIRQ: 1\n");
  EXPECT_THAT(gpu_names(root.path()), ElementsAre("NVIDIA H200"));
}

TEST(Machine, VectorFeaturesAreWholeWords) {
  EXPECT_EQ(vector_features("fpu avx avx2 fma avx512f avx512bw"), "AVX2, AVX-512");
  EXPECT_EQ(vector_features("fpu avx512_bf16 avx512f amx_bf16"), "AVX-512, AVX-512 BF16, AMX BF16");
  EXPECT_EQ(vector_features("fpu avx"), "");
}

TEST(Machine, BytesInDecimalUnits) {
  EXPECT_EQ(bytes_text(640), "640 B");
  EXPECT_EQ(bytes_text(71300000), "71.3 MB");
  EXPECT_EQ(bytes_text(1.25e12), "1250.0 GB");
}

HostLayout host(int cpus, std::vector<std::set<int>> ranks, double quota = 0.0) {
  return {"node1", cpus, std::move(ranks), quota, {}};
}

TEST(HostLayout, BindingAndTheLeastShare) {
  EXPECT_EQ(host(2, {{0, 1}, {0, 1}}).binding(), "to no core");
  EXPECT_EQ(host(4, {{0, 1}, {2, 3}}).binding(), "apart");
  EXPECT_EQ(host(4, {{0, 1}, {0, 1}}).binding(), "to the same cores");
  EXPECT_EQ(host(4, {{0, 1}, {1, 2}}).binding(), "overlapping");
  EXPECT_DOUBLE_EQ(host(2, {{0, 1}, {0, 1}}).least_share(), 1.0);
  EXPECT_DOUBLE_EQ(host(4, {{0, 1, 2}, {2, 3}}).least_share(), 1.5);
  EXPECT_DOUBLE_EQ(host(8, {{0, 1}, {2, 3}}, 3.0).least_share(), 1.5);
}

// A machine without anything to say of it but the missing GPU.
Facts healthy() {
  Facts facts;
  facts.hosts = {host(4, {{0, 1}, {2, 3}})};
  facts.ranks = 2;
  facts.threads = 2;
  facts.cpu_capability = "AVX2";
  facts.build_type = "Release";
  facts.shared_memory = facts.memory = facts.disk = int64_t{16} << 30;
  return facts;
}

std::string text_of(const Facts& facts) {
  std::string text;
  for (const auto& finding : findings(facts)) {
    text += verdict_text(finding.verdict) + " " + finding.what + " " + finding.advice + "\n";
  }
  return text;
}

TEST(Findings, AHealthyMachineHasOnlyNoGpu) {
  EXPECT_EQ(text_of(healthy()), "note no NVIDIA GPU: everything runs on the CPU \n");
}

TEST(Findings, GpusThatAreNotUsed) {
  Facts facts = healthy();
  facts.hosts[0].gpus = {"NVIDIA H200", "NVIDIA H200"};
  EXPECT_THAT(text_of(facts),
              HasSubstr("note 2 GPUs are not used: this kdbench was built without CUDA"));
  facts.built_for_gpus = true;
  EXPECT_THAT(text_of(facts), HasSubstr("note 2 GPUs are not used by 2 ranks"));
  facts.on_gpus = true;
  EXPECT_EQ(text_of(facts), "");
}

TEST(Findings, ALauncherOfAnotherMpiIsBroken) {
  Facts facts = healthy();
  facts.ranks = 1;
  facts.launched = 4;
  EXPECT_EQ(findings(facts).front().verdict, Verdict::kBroken);
  EXPECT_THAT(text_of(facts), HasSubstr("started 4 processes, but each is rank 0 of 1"));
}

TEST(Findings, AJobsTasksAreTheRanks) {
  EXPECT_EQ(launch_finding(4, 4, 4).verdict, Verdict::kGood);
  EXPECT_EQ(launch_finding(1, 1, 0).verdict, Verdict::kGood);
  EXPECT_EQ(launch_finding(1, 1, 1).verdict, Verdict::kGood);
  const Finding alone = launch_finding(1, 1, 4);
  EXPECT_EQ(alone.verdict, Verdict::kNote);
  EXPECT_EQ(alone.what, "the Slurm job is for 4 tasks, but there is 1 rank");
  EXPECT_THAT(alone.advice, HasSubstr("srun --mpi=pmix"));
  EXPECT_EQ(launch_finding(2, 2, 4).what, "the Slurm job is for 4 tasks, but there are 2 ranks");
  EXPECT_EQ(launch_finding(1, 4, 4).verdict, Verdict::kBroken);
}

TEST(Findings, LaunchingAsRootAndWithoutALauncher) {
  Facts facts = healthy();
  facts.launcher_on_path = false;
  facts.root_user = true;
  facts.root_may_launch = false;
  EXPECT_THAT(text_of(facts), HasSubstr("openmpi-bin"));
  EXPECT_THAT(text_of(facts), HasSubstr("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"));
  facts.open_mpi = false;
  EXPECT_THAT(text_of(facts), ::testing::Not(HasSubstr("OMPI_ALLOW")));
}

TEST(Findings, CrowdedAndNarrowlyBoundRanksAreSlow) {
  Facts facts = healthy();
  facts.threads = 3;
  EXPECT_THAT(text_of(facts), HasSubstr("slow node1: 2 ranks of 3 threads, but only 2 cores"));
  facts.threads = 1;
  facts.hosts = {host(8, {{0}, {1}})};
  EXPECT_THAT(text_of(facts), HasSubstr("slow node1: 2 ranks bound to one core each, of 8"));
  facts.hosts = {host(2, {{0}, {1}})};  // that is all there is
  EXPECT_THAT(text_of(facts), ::testing::Not(HasSubstr("bound to one core")));
}

TEST(Findings, SharedCoresAreSlow) {
  Facts facts = healthy();
  facts.cpu_use = {{"node1", 4, 4.0, 0.3}, {"node2", 4, 4.0, 1.25}};
  EXPECT_THAT(text_of(facts), HasSubstr("slow host node2: other processes use about 1.2 of 4"));
  EXPECT_THAT(text_of(facts), ::testing::Not(HasSubstr("host node1")));
}

TEST(Findings, LittleRoom) {
  Facts facts = healthy();
  facts.shared_memory = 64 << 20;
  facts.memory = int64_t{3} << 30;
  facts.disk = int64_t{1} << 30;
  EXPECT_THAT(text_of(facts), HasSubstr("--shm-size"));
  EXPECT_THAT(text_of(facts), HasSubstr("3.2 GB of memory for 2 ranks"));
  EXPECT_THAT(text_of(facts), HasSubstr("1.1 GB free for results"));
  facts.ranks = 1;
  EXPECT_THAT(text_of(facts), ::testing::Not(HasSubstr("--shm-size")));
}

TEST(Findings, SlowBuilds) {
  Facts facts = healthy();
  facts.build_type = "Debug";
  facts.cpu_capability = "DEFAULT";
  EXPECT_THAT(text_of(facts), HasSubstr("slow this is a Debug build"));
  EXPECT_THAT(text_of(facts), HasSubstr("no vector instructions"));
}

}  // namespace
}  // namespace kdbench::machine_test
