// SPDX-License-Identifier: MIT
// An experiment of a second: a teacher and its students on ten rows.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/ranks/workspace.h"
#include "tests/support/temp_folder.h"

namespace kdbench::testing {

// Seven training rows and three dev rows, two random models: a whole run takes a second.
inline constexpr const char* kTinyExperiment = R"(name = "tiny"
[data]
root = "data"
tasks = ["RTE"]
max_seq_length = 16
[teacher]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
intermediate = 32
max_positions = 16
tokenizer = "tokenizer"
[teacher.train]
epochs = 3
[student]
architecture = "bert"
layers = 1
hidden = 16
heads = 2
intermediate = 32
max_positions = 16
tokenizer = "tokenizer"
[train]
batch_size = 4
epochs = 2
seeds = [1, 2]
[[method]]
name = "kd"
)";

inline constexpr const char* kHeader = "index\tsentence1\tsentence2\tlabel\n";

class TinyExperiment : public ::testing::Test {
 protected:
  TinyExperiment() {
    folder.write("tokenizer/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n");
    folder.write("data/RTE/train.tsv", rows(7));
    folder.write("data/RTE/dev.tsv", rows(3));
    folder.write("experiment.toml", kTinyExperiment);
  }

  static std::string rows(int count) {
    std::string text = kHeader;
    for (int row = 0; row < count; ++row) {
      text += std::to_string(row) + "\ta b\tc" + std::string(row % 2 ? " a" : "") +
              (row % 3 ? "\tentailment\n" : "\tnot_entailment\n");
    }
    return text;
  }

  Experiment load(const std::vector<std::string>& overrides = {}) const {
    return load_experiment(folder / "experiment.toml", overrides);
  }
  Workspace workspace() const {
    return {control,
            *collectives,
            at::kCPU,
            1,
            folder / "out",
            "a test",
            std::make_shared<Log>(true, "")};
  }

  TempFolder folder;
  const Control control{MPI_COMM_SELF};
  std::unique_ptr<Collectives> collectives = make_single_collectives();
};

}  // namespace kdbench::testing
