// SPDX-License-Identifier: MIT
// What `status` says while an experiment is made, fails, or is made by somebody else.
#include "suite/walks/status.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include "reports/run_files.h"
#include "suite/walks/make.h"
#include "tests/suite/tiny_experiment.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StatusTest : public testing::TinyExperiment {
 protected:
  std::vector<StageStatus> look(const std::vector<std::string>& overrides = {}) const {
    return status_of(load(overrides), workspace());
  }
  // Of the teacher that failed.
  std::string teacher_reason() const {
    for (const auto& run : read_runs({folder / "out/tiny"})) {
      if (run.at("role") == "teacher") return run.at("reason");
    }
    return "";
  }
  std::vector<std::string> states(const std::vector<std::string>& overrides = {}) const {
    std::vector<std::string> found;
    for (const auto& stage : look(overrides)) found.push_back(stage.kind + " " + stage.state);
    return found;
  }
};

// Another job that is at work on a stage or a run.
class Worker {
 public:
  Worker(const fs::path& out, const std::string& name) {
    fs::create_directories(out / ".stages/locks");
    const std::string who = "node7:4711";
    descriptor_ = ::open((out / ".stages/locks" / name).c_str(), O_RDWR | O_CREAT, 0666);
    EXPECT_EQ(::flock(descriptor_, LOCK_EX | LOCK_NB), 0);
    EXPECT_EQ(::write(descriptor_, who.data(), who.size()), static_cast<ssize_t>(who.size()));
  }
  ~Worker() { ::close(descriptor_); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

 private:
  int descriptor_ = -1;
};

TEST_F(StatusTest, BeforeAfterAndBetween) {
  EXPECT_THAT(states(), ElementsAre("features missing", "teacher waiting",
                                    "teacher-outputs waiting", "run waiting", "run waiting"));
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_THAT(look()[3].waiting_for, ElementsAre("teacher-outputs RTE seed 1: logits"));
  make_experiment(load(), workspace(), {}, ExperimentPart::kTeachers);
  EXPECT_THAT(states(), ElementsAre("features done", "teacher done", "teacher-outputs missing",
                                    "run waiting", "run waiting"));
  make_experiment(load(), workspace(), {{}, {}, {2}});
  EXPECT_THAT(states(), ElementsAre("features done", "teacher done", "teacher-outputs done",
                                    "run missing", "run done"));
  const StageStatus run = look().back();
  EXPECT_EQ(run.folder, "tiny/" + run.name);
  EXPECT_TRUE(fs::exists(folder / "out" / run.folder / "run.json"));
}

TEST_F(StatusTest, SaysWhoIsAtWork) {
  make_experiment(load(), workspace(), {}, ExperimentPart::kTeachers);
  const auto before = look();
  const Worker stage(folder / "out", before[2].name), run(folder / "out", "tiny-" + before[3].name);
  const auto found = look();
  for (const size_t i : {2U, 3U}) {
    EXPECT_EQ(found[i].state, "running");
    EXPECT_EQ(found[i].who, "node7:4711");
    EXPECT_THAT(found[i].since, ::testing::ContainsRegex("^20..-..-..T..:..:..Z$"));
  }
  EXPECT_THAT(status_text(found), HasSubstr("node7:4711 since 20"));
  const auto json = status_json(load(), found);
  EXPECT_EQ(json["stages"][2]["who"], "node7:4711");
  EXPECT_EQ(json["stages"][4]["waiting_for"][0], "teacher-outputs RTE seed 1: logits");
}

TEST_F(StatusTest, SaysWhyItFailed) {
  const std::vector<std::string> diverge = {"teacher.train.learning_rate=1e30",
                                            "teacher.train.warmup=0.0", "train.clip=0"};
  EXPECT_EQ(make_experiment(load(diverge), workspace()).failed, 2);
  const auto found = look(diverge);
  EXPECT_EQ(found[1].state, "failed");
  EXPECT_THAT(found[1].why, HasSubstr("not finite"));
  EXPECT_EQ(found[3].state, "waiting");
  EXPECT_THAT(found[3].waiting_for, ElementsAre("teacher-outputs RTE seed 1: logits"));
  // The students' records repeat the teacher's reason.
  size_t skipped = 0;
  for (const auto& run : read_runs({folder / "out/tiny"})) {
    if (run.at("role") != "student") continue;
    EXPECT_EQ(run.at("reason").get<std::string>(), "its teacher failed: " + teacher_reason());
    ++skipped;
  }
  EXPECT_EQ(skipped, 2U);
  // A run that failed by itself.
  const std::vector<std::string> student = {"method.kd.train.learning_rate=1e30",
                                            "method.kd.train.warmup=0.0", "method.kd.train.clip=0"};
  EXPECT_EQ(make_experiment(load(student), workspace()).failed, 2);
  const auto runs = look(student);
  EXPECT_EQ(runs[3].state, "failed");
  EXPECT_THAT(runs[3].why, HasSubstr("not finite"));
  EXPECT_THAT(runs[3].name, ::testing::EndsWith("-2"));  // where the next attempt goes
}

}  // namespace
}  // namespace kdbench
