// SPDX-License-Identifier: MIT
// Jobs that want the same stage or run. The other job is a lock that this process holds through
// another open file: to the kernel that is somebody else.
#include "suite/graph/stage_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "suite/graph/run_place.h"
#include "suite/graph/stage_store.h"
#include "tests/io/rank_folder.h"

namespace kdbench::stage_lock_test {
namespace {

namespace fs = std::filesystem;

// On the root rank; does nothing on others.
class OtherJob {
 public:
  OtherJob(const Workspace& workspace, const std::string& name, const std::string& who) {
    if (workspace.control.root()) {
      const fs::path file = workspace.out / ".stages" / "locks" / name;
      fs::create_directories(file.parent_path());
      testing::write_bytes(file, who);
      descriptor_ = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
      EXPECT_EQ(::flock(descriptor_, LOCK_EX | LOCK_NB), 0);
    }
    workspace.control.barrier();
  }
  ~OtherJob() {
    if (thread_.joinable()) thread_.join();
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  // Does its work after a while and ends.
  void end_after(const std::function<void()>& work) {
    if (descriptor_ < 0) return;
    thread_ = std::thread([this, work] {
      std::this_thread::sleep_for(std::chrono::milliseconds(700));
      work();
      ::close(std::exchange(descriptor_, -1));
    });
  }

 private:
  int descriptor_ = -1;
  std::thread thread_;
};

class StageLockTest : public ::testing::Test {
 protected:
  bool root() const { return control.root(); }
  fs::path stage() const { return folder.path / ".stages" / key.hash(); }

  // The stage as this job makes it, and how often it was made here.
  std::optional<fs::path> ensure(bool keep = true) {
    return ensure_stage(workspace, key, "teacher MRPC seed 1", [&](const fs::path& partial) {
      ++made;
      if (root()) testing::write_bytes(partial / "result", "mine");
      return keep;
    });
  }
  // Names in .stages, without the locks.
  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path / ".stages")) {
      const std::string name = entry.path().filename().string();
      if (name != "locks") names.push_back(name);
    }
    return names;
  }

  testing::RankFolder folder;
  Control control{MPI_COMM_WORLD};
  std::unique_ptr<Collectives> collectives = make_collectives(control, at::kCPU);
  Workspace workspace{control, *collectives, at::kCPU, 1, folder.path, "stage lock test"};
  StageKey key{"test", 1, {{"input", 7}}};
  int made = 0;
};

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_F(StageLockTest, AStageIsMadeOnce) {
  EXPECT_EQ(ensure(), stage());
  EXPECT_EQ(ensure(), stage());
  EXPECT_EQ(made, 1);
  EXPECT_EQ(testing::file_bytes(stage() / "result"), "mine");
  EXPECT_EQ(entries(), std::vector<std::string>{key.hash()});
}

TEST_F(StageLockTest, AnotherVersionOrInputIsAnotherStage) {
  const std::string hash = key.hash();
  ++key.version;
  EXPECT_NE(key.hash(), hash);
  --key.version;
  key.inputs["input"] = 8;
  EXPECT_NE(key.hash(), hash);
}

TEST_F(StageLockTest, ASecondJobWaitsAndTakesWhatTheFirstMade) {
  OtherJob other(workspace, key.hash(), "elsewhere:17");
  other.end_after([&] {
    fs::create_directories(stage());
    testing::write_bytes(stage() / "result", "theirs");
    testing::write_bytes(stage() / "stage.json", "{}");
  });
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ensure(), stage());
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(made, 0);
  EXPECT_EQ(testing::file_bytes(stage() / "result"), "theirs");
  EXPECT_EQ(count(said, "waiting for teacher MRPC seed 1 (" + key.hash() +
                            "), being made by elsewhere:17\n"),
            root() ? 1U : 0U);
}

TEST_F(StageLockTest, WhatADeadJobLeftIsRemovedAndMadeAgain) {
  if (root()) {
    for (const std::string& left : {key.hash() + ".elsewhere-17.partial", key.hash()}) {
      fs::create_directories(folder.path / ".stages" / left);
      testing::write_bytes(folder.path / ".stages" / left / "result", "half");
    }
    fs::create_directories(folder.path / ".stages" / "0123456789abcdef.elsewhere-18.partial");
  }
  OtherJob other(workspace, key.hash(), "elsewhere:17");
  other.end_after([] {});  // it dies
  EXPECT_EQ(ensure(), stage());
  EXPECT_EQ(made, 1);
  EXPECT_EQ(testing::file_bytes(stage() / "result"), "mine");
  EXPECT_EQ(entries().size(), 2U);  // a stage of another hash may still be under way
}

TEST_F(StageLockTest, NothingIsKeptOfWhatFailed) {
  EXPECT_EQ(ensure(false), std::nullopt);
  EXPECT_TRUE(entries().empty());
  const std::string error = testing::error_of([&] {
    ensure_stage(workspace, key, "teacher MRPC seed 1", [&](const fs::path&) -> bool {
      control.agree([] { throw_user_error("here", "went wrong"); });
      return true;
    });
  });
  EXPECT_HAS(error, "went wrong");
  EXPECT_EQ(ensure(), stage());  // the lock was released
  EXPECT_EQ(entries(), std::vector<std::string>{key.hash()});
}

TEST(FolderText, HasNothingThatShellsExpandOrSplitAt) {
  EXPECT_EQ(folder_text("kd[alpha=0.5,train.epochs=3]"), "kd+alpha-0.5+train.epochs-3");
  EXPECT_EQ(folder_text("pkd[layers=[2,4]]"), "pkd+layers-+2+4");
  EXPECT_EQ(folder_text("pkd-skip_2.1+x"), "pkd-skip_2.1+x");
  EXPECT_EQ(folder_text("a=b c*d?e'f\"g\\h$i"), "a-b-c-d-e-f-g-h-i");
}

TEST_F(StageLockTest, AFinishedRunNeedsNoLock) {
  if (root()) {
    fs::create_directories(folder.path / "exp" / "run");
    testing::write_bytes(folder.path / "exp" / "run" / "run.json", R"({"status": "done"})");
  }
  const OtherJob other(workspace, "exp-run", "elsewhere:17");
  const RunPlace place(workspace, "exp", "run", "run MRPC kd seed 1");
  EXPECT_TRUE(place.done());
  EXPECT_EQ(place.folder(), folder.path / "exp" / "run");
}

TEST_F(StageLockTest, ARunWaitsForTheSameRun) {
  OtherJob other(workspace, "exp-run", "elsewhere:17");
  other.end_after([&] {
    fs::create_directories(folder.path / "exp" / "run");
    testing::write_bytes(folder.path / "exp" / "run" / "run.json", R"({"status": "failed"})");
  });
  const RunPlace place(workspace, "exp", "run", "run MRPC kd seed 1");
  EXPECT_FALSE(place.done());
  EXPECT_EQ(place.run_id(), "run-2");
}

TEST_F(StageLockTest, WhoMayLeaveIsToldWhoIsAtWork) {
  const OtherJob other(workspace, "exp-run", "elsewhere:17");
  std::string busy;
  const RunPlace place(workspace, "exp", "run", "run MRPC kd seed 1", &busy);
  EXPECT_EQ(busy, "run MRPC kd seed 1 (exp-run), being made by elsewhere:17");
  EXPECT_FALSE(place.done());
}

// Limits of a second, for the time of a test.
class ShortPatience {
 public:
  ShortPatience() { ::setenv("KDBENCH_LOCK_TIMEOUT", "1", 1); }
  ~ShortPatience() { ::unsetenv("KDBENCH_LOCK_TIMEOUT"); }
};

// A lock that outlives its holder's host: nobody touches its file.
TEST_F(StageLockTest, ASilentLockIsTakenOver) {
  const ShortPatience patience;
  const OtherJob gone(workspace, key.hash(), "elsewhere:17");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(ensure(), stage());
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(count(said,
                  "teacher MRPC seed 1: elsewhere:17, which was at work on it, has been "
                  "silent for 1 s"),
            root() ? 1U : 0U);
}

TEST_F(StageLockTest, AHolderThatLivesKeepsItsLock) {
  const ShortPatience patience;
  const StageLock mine(workspace, "exp-run", "run MRPC kd seed 1");
  for (int i = 0; i < 25; ++i) {
    std::string busy;
    const RunPlace place(workspace, "exp", "run", "run MRPC kd seed 1", &busy);
    EXPECT_HAS(busy, "being made by");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

TEST_F(StageLockTest, WhereNothingCanBeWrittenIsAMachineError) {
  folder.make("file", [](const fs::path& file) { testing::write_bytes(file, ""); });
  workspace.out = folder.path / "file";
  const std::string error = testing::error_of([&] { ensure(); }, ExitCode::kMachine);
  EXPECT_HAS(error, "choose another --out");
}

}  // namespace
}  // namespace kdbench::stage_lock_test
