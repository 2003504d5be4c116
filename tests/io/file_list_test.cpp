// SPDX-License-Identifier: MIT
// What a finished folder held, and whether it still does.
#include "io/base/file_list.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::file_list_test {
namespace {

namespace fs = std::filesystem;
using testing::user_error_of;

class FileList : public ::testing::Test {
 protected:
  FileList() {
    folder_.write("model/config.json", "{}");
    folder_.write("predictions/a.tsv", "index");
    folder_.write("stage.json", "the list itself");
    list_ = list_files(folder_.path(), "stage.json");
  }
  std::string check(const std::string& prefix = "") const {
    return user_error_of([&] { check_files(folder_.path(), list_, prefix); });
  }

  testing::TempFolder folder_;
  nlohmann::json list_;
};

TEST_F(FileList, AllFilesButTheOneThatHoldsIt) {
  ASSERT_EQ(list_.size(), 2U);
  EXPECT_EQ(list_.at("model/config.json").at("size"), 2);
  EXPECT_EQ(check(), "no error");
  EXPECT_TRUE(files_are_there(folder_.path(), list_));
}

TEST_F(FileList, AFileThatIsGoneOrOtherIsNamed) {
  folder_.write("predictions/a.tsv", "xndex");  // as long as before
  EXPECT_NE(check().find("predictions/a.tsv: is damaged"), std::string::npos);
  EXPECT_EQ(check("model/"), "no error");
  EXPECT_TRUE(files_are_there(folder_.path(), list_));
  fs::remove(folder_ / "model/config.json");
  EXPECT_NE(check("model/").find("model/config.json: is gone"), std::string::npos);
  std::string missing;
  EXPECT_FALSE(files_are_there(folder_.path(), list_, &missing));
  EXPECT_EQ(missing, "model/config.json");
}

TEST_F(FileList, AFolderWithoutAListIsTakenAsItIs) {
  list_ = nullptr;
  EXPECT_EQ(check(), "no error");
  EXPECT_TRUE(files_are_there(folder_.path(), list_));
}

}  // namespace
}  // namespace kdbench::file_list_test
