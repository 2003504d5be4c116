// SPDX-License-Identifier: MIT
// The experiment file, damaged in many ways: it is loaded, or refused with a user error.
#include <gtest/gtest.h>

#include "tests/suite/config/experiment_folder.h"
#include "tests/support/mutation.h"

namespace kdbench::experiment_mutation_test {
namespace {

TEST(ExperimentMutation, LoadsOrRefuses) {
  const testing::ExperimentFolder folder;
  const auto file = folder / "experiment.toml";
  const std::string text = testing::kExperiment +
                           "alpha = 0.5\nlabel = \"a.b\"\n[method.train]\nseeds = [1, 2]\n"
                           "[method.grid]\ntemperature = [1.0, 2.0]\n[task.RTE.data]\n"
                           "train_limit = 3\n";
  folder.load(text);
  testing::expect_reads_or_refuses(text, file, 3000, [&] { load_experiment(file, {}); });
}

TEST(ExperimentMutation, OverridesAreTakenOrRefused) {
  const testing::ExperimentFolder folder;
  const auto file = folder.write("experiment.toml", testing::kExperiment);
  const auto override_file = folder / "override";
  testing::expect_reads_or_refuses("method.kd.alpha=0.5", override_file, 3000, [&] {
    load_experiment(file, {testing::read_text(override_file)});
  });
}

}  // namespace
}  // namespace kdbench::experiment_mutation_test
