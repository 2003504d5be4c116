// SPDX-License-Identifier: MIT
// The parts of the program that makes the tests' data. Each writes below `data` what those before
// it do not; README.md beside them says what is made of what.
#pragma once

#include <filesystem>

namespace kdbench::make_data {

// rows/<TASK>/: GLUE files with texts of the embedded corpora; rows/vocab.txt.
void make_rows(const std::filesystem::path& data);
// models/: folders with random weights, memories of features, outputs of a teacher.
void make_models(const std::filesystem::path& data);
// parity/<case>/expected.jsonl: what training by the case's experiment.toml gives.
void make_expected(const std::filesystem::path& data);

}  // namespace kdbench::make_data
