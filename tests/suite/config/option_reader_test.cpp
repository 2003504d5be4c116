// SPDX-License-Identifier: MIT
// Options that take a file beside words: relative to the experiment, and there.
#include "suite/config/option_reader.h"

#include <gtest/gtest.h>

#include "suite/config/method_grid.h"
#include "tests/support/temp_folder.h"

namespace kdbench::option_reader_test {
namespace {

const OptionSpec kSpec{.name = "memory",
                       .fallback = std::string("auto"),
                       .meaning = "where it comes from",
                       .source = "here",
                       .choices = {"auto"},
                       .or_file = true};

class FileOption : public ::testing::Test {
 protected:
  std::string read(const std::string& text) {
    const auto file = folder.write("experiments/e.toml", text);
    const toml::table table = toml::parse_file(file.string());
    TableReader reader(table, "method.fsd", problems);
    return std::get<std::string>(read_options({kSpec}, reader).at("memory"));
  }

  testing::TempFolder folder;
  Problems problems;
};

TEST_F(FileOption, AWordStaysAndAPathIsTheExperimentsOwn) {
  EXPECT_EQ(read(""), "auto");
  EXPECT_EQ(read("memory = 'auto'"), "auto");
  folder.write("experiments/m.safetensors", "");
  EXPECT_EQ(read("memory = 'm.safetensors'"), (folder / "experiments/m.safetensors").string());
  EXPECT_EQ(read("memory = '../experiments/m.safetensors'"),
            (folder / "experiments/m.safetensors").string());
  EXPECT_TRUE(problems.lines().empty());
}

TEST_F(FileOption, AMissingFileIsAProblem) {
  read("memory = 'gone.safetensors'");
  read("memory = 'auot'");
  read("memory = 5");
  ASSERT_EQ(problems.lines().size(), 3U);
  EXPECT_NE(problems.lines()[0].find("no file " + (folder / "experiments/gone").string()),
            std::string::npos);
  EXPECT_NE(problems.lines()[0].find("one of \"auto\", or a file"), std::string::npos);
  EXPECT_NE(problems.lines()[1].find("did you mean 'auto'?"), std::string::npos);
  EXPECT_NE(problems.lines()[2].find("expected one of \"auto\", or a file"), std::string::npos);
}

TEST_F(FileOption, IsNoPointOfAGrid) {
  const toml::table table = toml::parse("[grid]\nmemory = ['auto']");
  TableReader method(table, "method.fsd", problems);
  EXPECT_EQ(expand_grid({}, {kSpec}, method).size(), 1U);
  ASSERT_EQ(problems.lines().size(), 1U);
  EXPECT_NE(problems.lines()[0].find("takes no list"), std::string::npos);
}

}  // namespace
}  // namespace kdbench::option_reader_test
