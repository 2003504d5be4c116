// SPDX-License-Identifier: MIT
// An experiment of five tasks and 216 grid points, those of official/fsd-table2.toml, with tiny
// models on the embedded corpora.
#pragma once

namespace kdbench::testing {

inline constexpr int kGridPoints = 216;

inline constexpr const char* kGridExperiment = R"(name = "grid"
[data]
root = "synthetic"
tasks = ["SST-2", "CoLA", "MRPC", "STS-B", "MNLI"]
max_seq_length = 24
train_limit = 32
[teacher]
architecture = "bert"
layers = 3
hidden = 8
heads = 2
max_positions = 24
[teacher.train]
[student]
architecture = "bert"
layers = 2
hidden = 8
heads = 2
max_positions = 24
[train]
batch_size = 16
epochs = 1
[[method]]
name = "kd"
[method.grid]
alpha = [0.8, 0.5, 0.3]
temperature = [5.0, 10.0, 20.0]
[method.grid.train]
learning_rate = [1e-5, 2e-5, 5e-5]
[[method]]
name = "fsd"
label = "fsd-IL"
variant = "IL"
[method.grid]
beta = [1.0, 3.0, 4.0, 5.0, 6.0, 10.0]
[method.grid.train]
learning_rate = [3e-5, 4e-5, 5e-5, 6e-5]
[[method]]
name = "fsd"
label = "fsd-I"
variant = "I"
[method.grid]
beta = [1.0, 3.0, 4.0, 5.0, 6.0, 10.0]
[[method]]
name = "fsd"
label = "fsd-L"
variant = "L"
[method.grid]
beta = [1.0, 3.0, 4.0, 5.0, 6.0, 10.0]
[[method]]
name = "fsd"
label = "fsd-G"
variant = "G"
memory = "auto"
centroids = 8
[method.grid]
beta = [0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0]
gamma_memory = [0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0]
[[method]]
name = "fsd"
variant = "ILG"
memory = "auto"
centroids = 8
[method.grid]
gamma_intra = [0.1, 1.0, 5.0]
gamma_local = [0.1, 1.0, 5.0]
gamma_global = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0]
[method.task.STS-B]
gamma_memory = 0.5
)";

}  // namespace kdbench::testing
