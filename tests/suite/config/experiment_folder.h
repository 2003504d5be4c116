// SPDX-License-Identifier: MIT
// A folder with two tiny models and GLUE files, and the experiment file that the tests vary. Only
// the names of the data and weight files count: loading an experiment does not read them.
#pragma once

#include <string>

#include "suite/config/experiment.h"
#include "tests/support/temp_folder.h"

namespace kdbench::testing {

class ExperimentFolder : public TempFolder {
 public:
  ExperimentFolder() {
    for (const char* file :
         {"data/RTE/train.tsv", "data/RTE/dev.tsv", "data/MRPC/train.tsv", "data/MRPC/dev.tsv",
          "data/MNLI/train.tsv", "data/MNLI/dev_matched.tsv"}) {
      write(file, "");
    }
    model("teacher", 4);
    model("student", 2);
  }

  void model(const std::string& name, int layers) const {
    write(name + "/config.json",
          R"({"model_type": "bert", "vocab_size": 8, "hidden_size": 12, "num_hidden_layers": )" +
              std::to_string(layers) +
              R"(, "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 64,
                 "type_vocab_size": 2, "hidden_act": "gelu"})");
    write(name + "/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n");
    write(name + "/model.safetensors", "");
  }

  // Loads `text` as an experiment file.
  Experiment load(const std::string& text, const std::vector<std::string>& overrides = {}) const {
    return load_experiment(write("experiment.toml", text), overrides);
  }
};

// Line 1 is the name; [train] is on line 10, [[method]] on line 12.
inline const std::string kExperiment = R"(name = "tiny"
[data]
root = "data"
tasks = ["RTE"]
max_seq_length = 32
[teacher]
weights = "teacher"
[student]
weights = "student"
[train]
epochs = 2
[[method]]
name = "kd"
)";

}  // namespace kdbench::testing
