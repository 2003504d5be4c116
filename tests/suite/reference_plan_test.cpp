// SPDX-License-Identifier: MIT
// The shipped experiments with MiniLM on the first rows of real GLUE files.
#include <fstream>

#include "tests/suite/shipped_plan.h"
#include "tests/support/shared_data.h"

namespace kdbench::reference_plan_test {
namespace {

namespace fs = std::filesystem;

// The first rows of real files, in GLUE's layout.
void write_head(const fs::path& from, const fs::path& to, int rows) {
  std::ifstream in(from);
  fs::create_directories(to.parent_path());
  std::ofstream out(to);
  std::string line;
  for (int i = 0; i <= rows && std::getline(in, line); ++i) out << line << "\n";
}

class ReferencePlan : public testing::ShippedPlan {
 protected:
  // MRPC, RTE and the others with few rows, below `folder`; true when the data are there.
  void write_data(const fs::path& glue, const std::vector<std::string>& tasks) const {
    for (const auto& task : tasks) {
      for (const char* split : {"train.tsv", "dev.tsv", "test.tsv"}) {
        write_head(glue / task / split, folder / "glue" / task / split, 8);
      }
    }
  }
  std::vector<std::string> short_of_data(const fs::path& weights) const {
    return {"data.root=" + (folder / "glue").string(), "teacher.weights=" + weights.string(),
            "student.weights=" + weights.string(), "train.epochs=1", "train.seeds=[1]"};
  }
};

TEST_F(ReferencePlan, MinilmOnMrpcAndSst2) {
  KDBENCH_NEED_SHARED(glue, "data/glue");
  KDBENCH_NEED_SHARED(weights, "data/minilm-l6-h384");
  write_data(glue, {"SST-2"});
  auto overrides = short_of_data(weights);
  overrides.push_back("data.tasks=['SST-2']");
  expect_planned(load("minilm-mrpc-sst2.toml", overrides));
}

TEST_F(ReferencePlan, MinilmSixMethods) {
  KDBENCH_NEED_SHARED(glue, "data/glue");
  KDBENCH_NEED_SHARED(weights, "data/minilm-l6-h384");
  write_data(glue, {"MRPC"});
  auto overrides = short_of_data(weights);
  overrides.push_back("data.tasks=['MRPC']");
  overrides.push_back("method.fsd-ILG.centroids=4");
  expect_planned(load("minilm-six-methods.toml", overrides));
}

}  // namespace
}  // namespace kdbench::reference_plan_test
