// SPDX-License-Identifier: MIT
// The shipped experiments that fit any machine, cut short, on made-up data.
#include "tests/suite/shipped_plan.h"

#include <algorithm>

#include "io/synthetic/synthetic.h"
#include "io/words/tagger_training.h"
#include "tests/support/test_data.h"

namespace kdbench::shipped_plan_test {
namespace {

class ShippedPlan : public testing::ShippedPlan {
 protected:
  // Few rows of a task, and a model of the tests in place of MiniLM: as many layers, but narrow.
  std::vector<std::string> made_up(const std::string& task) const {
    for (const auto& file : make_synthetic_files(task, {1, 8, 8, 8})) {
      folder.write("glue/" + task + "/" + file.split + ".tsv", file.content);
    }
    const std::string weights = testing::test_data("models/rte-deep-teacher").string();
    return {"data.root=" + (folder / "glue").string(),
            "data.tasks=['" + task + "']",
            "data.max_seq_length=64",
            "model.weights=" + weights,
            "train.epochs=1",
            "train.seeds=[1]"};
  }
};

TEST_F(ShippedPlan, Quickstart) {
  expect_planned(load("quickstart.toml", {"data.train_limit=64", "train.epochs=1",
                                          "teacher.train.epochs=1", "train.seeds=[1,2]"}));
}

TEST_F(ShippedPlan, AllMethods) {
  expect_planned(load("all-methods.toml",
                      {"data.train_limit=128", "train.epochs=1", "data.tasks=['SST-2','STS-B']"}));
}

TEST_F(ShippedPlan, MinilmOnMrpcAndSst2) {
  expect_planned(load("minilm-mrpc-sst2.toml", made_up("SST-2")));
}

TEST_F(ShippedPlan, MinilmSixMethods) {
  auto overrides = made_up("MRPC");
  overrides.push_back("method.fsd-ILG.centroids=4");
  expect_planned(load("minilm-six-methods.toml", overrides));
}

// Vectors of one word and a tagger of one sentence, in place of those that a user downloads.
TEST_F(ShippedPlan, DLiteTable1) {
  auto overrides = made_up("SST-2");
  std::replace(overrides.begin(), overrides.end(),
               "model.weights=" + testing::test_data("models/rte-deep-teacher").string(),
               "teacher.weights=" + testing::test_data("models/rte-deep-teacher").string());
  std::string vector = "the";
  for (int i = 0; i < 300; ++i) vector += " 0.5";
  folder.write("vectors.txt", vector + "\n");
  write_tagger(train_tagger({{{"the", "plot", "is", "dull"}, {"DT", "NN", "VBZ", "JJ"}}}, {}),
               folder / "tagger");
  for (const char* text : {"teacher.train.epochs=1", "task.SST-2.train.epochs=1",
                           "transfer.n_iter=2", "student.vectors=", "transfer.tagger="})
    overrides.emplace_back(text);
  overrides[overrides.size() - 2] += (folder / "vectors.txt").string();
  overrides.back() += (folder / "tagger").string();
  expect_planned(load("official/d-lite-table1.toml", overrides));
}

}  // namespace
}  // namespace kdbench::shipped_plan_test
