// SPDX-License-Identifier: MIT
// What `kdbench keys` shows is what an experiment file may hold.
#include "suite/config/experiment_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "methods/models/registry.h"
#include "methods/registry.h"
#include "suite/config/option_reader.h"
#include "tests/suite/config/experiment_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::experiment_keys_test {
namespace {

using testing::ExperimentFolder;
using ::testing::HasSubstr;
using testing::kExperiment;
using ::testing::Not;

TEST(ExperimentKeys, EachTableHasKeysOnceAndSaysWhatTheyMean) {
  std::set<std::string> tables;
  for (const auto& table : experiment_tables()) {
    EXPECT_TRUE(tables.insert(table.name).second) << table.name;
    std::set<std::string> names;
    for (const auto& key : table.keys) {
      EXPECT_TRUE(names.insert(key.name).second) << table.name << "." << key.name;
      EXPECT_FALSE(key.meaning.empty()) << table.name << "." << key.name;
      EXPECT_FALSE(default_text(key).empty()) << table.name << "." << key.name;
    }
  }
}

// A value of the wrong type is refused as such: the key is read. (A key that is not would be
// unknown.)
TEST(ExperimentKeys, EveryShownKeyIsRead) {
  const ExperimentFolder folder;
  const std::map<std::string, std::string> paths{{"experiment", ""},
                                                 {"data", "data."},
                                                 {"model", "model."},
                                                 {"task", "task.own."},
                                                 {"task.data", "task.RTE.data."},
                                                 {"teacher", "teacher."},
                                                 {"assistant", "assistant."},
                                                 {"student", "student."},
                                                 {"transfer", "transfer."},
                                                 {"train", "train."},
                                                 {"method", "method.kd."}};
  for (const auto& table : experiment_tables()) {
    ASSERT_TRUE(paths.contains(table.name)) << table.name;
    for (const auto& key : table.keys) {
      const std::string name = paths.at(table.name) + key.name;
      const std::string error =
          testing::user_error_of([&] { folder.load(kExperiment, {name + "=[{ a = 1 }]"}); });
      EXPECT_THAT(error, HasSubstr(key.name + ": expected ")) << name;
      EXPECT_THAT(error, Not(HasSubstr("unknown key"))) << name;
    }
  }
}

using Names = std::set<std::string>;

Names operator+(Names names, const Names& more) {
  names.insert(more.begin(), more.end());
  return names;
}

Names names_of(const std::vector<OptionSpec>& specs) {
  Names names;
  for (const auto& spec : specs) names.insert(spec.name);
  return names;
}

Names size_names() {
  Names names;
  for (const auto& architecture : all_architectures()) {
    for (const auto& size : architecture.sizes) names.insert(size.spec.name);
    for (const auto& choice : architecture.choices) names.insert(choice.spec.name);
  }
  return names;
}

// The keys that the message about an unknown one lists.
Names known_at(const ExperimentFolder& folder, const std::string& place) {
  const std::string error =
      testing::user_error_of([&] { folder.load(kExperiment, {place + "zzzzzzzzzzzzzzzzzzzz=1"}); });
  const std::string before = "known here: ";
  const size_t begin = error.find(before);
  EXPECT_NE(begin, std::string::npos) << error;
  if (begin == std::string::npos) return {};
  const size_t first = begin + before.size();
  std::istringstream list(error.substr(first, error.find(')', first) - first));
  Names names;
  for (std::string name; std::getline(list >> std::ws, name, ',');) names.insert(name);
  return names;
}

// The other way round: what is known at a place is shown, or a table, a size, a method's own key.
TEST(ExperimentKeys, NoTableReadsMoreThanIsShown) {
  const ExperimentFolder folder;
  const Names tables{"data",     "model", "teacher", "assistant", "student",
                     "transfer", "train", "task",    "method"};
  EXPECT_EQ(known_at(folder, ""), names_of(experiment_keys()) + tables);
  EXPECT_EQ(known_at(folder, "data."), names_of(data_keys()));
  EXPECT_EQ(known_at(folder, "model."), names_of(base_model_keys()));
  const Names of_any_task{"data", "train"};
  EXPECT_EQ(known_at(folder, "task.own."), names_of(own_task_keys()) + of_any_task);
  EXPECT_EQ(known_at(folder, "task.RTE.data."), names_of(task_data_keys()));
  const Names model = names_of(model_keys()) + size_names(), train{"train"};
  EXPECT_EQ(known_at(folder, "teacher."), model + names_of(teacher_keys()) + train);
  EXPECT_EQ(known_at(folder, "student."), model);
  EXPECT_EQ(known_at(folder, "transfer."), names_of(transfer_keys()));
  const Names of_method{"train", "task", "student", "grid"};
  EXPECT_EQ(known_at(folder, "method.kd."),
            names_of(method_keys()) + names_of(find_method("kd").options) + of_method);
}

}  // namespace
}  // namespace kdbench::experiment_keys_test
