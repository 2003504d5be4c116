// SPDX-License-Identifier: MIT
#include "io/weights/word_vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/io/rank_folder.h"
#include "tests/support/temp_folder.h"

namespace kdbench::word_vectors_test {
namespace {

using testing::error_of;

class WordVectorFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    folder_.write("vectors", text);
    return folder_.path() / "vectors";
  }
  std::string error(const std::string& text, const std::vector<std::string>& words = {"b"}) {
    const auto path = write(text);
    return error_of([&] { read_word_vectors(path, words); });
  }
  testing::TempFolder folder_;
};

const std::vector<std::string> kWanted{"b", "none", "a"};

std::string vector_bytes(const std::vector<float>& values) {
  std::string bytes(4 * values.size(), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

void expect_found(const FoundVectors& found) {
  EXPECT_EQ(found.width, 2);
  EXPECT_EQ(found.words, (std::vector<int64_t>{2, 0}));
  EXPECT_EQ(found.values, (std::vector<float>{1.0f, -2.5f, 3e-3f, 4.0f}));
}

TEST_F(WordVectorFile, Glove) {
  const auto path = write("a 1 -2.5\n. . 7 7\nb 0.003 4\r\nb 9 9\n12 5 5\n");
  EXPECT_EQ(word_vectors_width(path), 2);
  expect_found(read_word_vectors(path, kWanted));
}

TEST_F(WordVectorFile, Word2vecText) {
  const auto path = write("4 2\na 1 -2.5 \nc 1 1\nb 0.003 4\nd 2 2");
  EXPECT_EQ(word_vectors_width(path), 2);
  expect_found(read_word_vectors(path, kWanted));
}

TEST_F(WordVectorFile, Word2vecBinary) {
  std::string text = "3 2\n";
  text += "a " + vector_bytes({1.0f, -2.5f}) + "\n";
  text += "c " + vector_bytes({7.0f, 7.0f});
  text += "b " + vector_bytes({3e-3f, 4.0f});
  const auto path = write(text);
  EXPECT_EQ(word_vectors_width(path), 2);
  expect_found(read_word_vectors(path, kWanted));
  text.resize(text.size() - 3);
  EXPECT_HAS(error(text), "word 3 of 3: ends within its vector");
}

TEST_F(WordVectorFile, AWordWithBlanksIsNotItsFirstPart) {
  const auto found = read_word_vectors(write("x 1 2\nb b 5 6\nb 3 4\n"), {"b"});
  EXPECT_EQ(found.words.size(), 1U);
  EXPECT_EQ(found.values, (std::vector<float>{3.0f, 4.0f}));
}

TEST_F(WordVectorFile, SaysWhatIsWrong) {
  EXPECT_HAS(error(""), "is empty");
  EXPECT_HAS(error("\x1F\x8B\x08..."), "is compressed");
  EXPECT_HAS(error("<html>\n"), ":1: is no vector of a word");
  EXPECT_HAS(error("a 1 2\nb 1\n"), ":2: has 1 numbers behind the word, the first line 2");
  EXPECT_HAS(error("a 1 2\nb 1 2 3\nb 1 x\n"), "numbers behind the word");
  EXPECT_HAS(error("a 1 2\nb nan 2\n"), ":2: holds NaN or infinity");
  EXPECT_HAS(error_of([&] { word_vectors_width(folder_.path() / "other"); }), "no such file");
  EXPECT_HAS(error_of([&] { word_vectors_width(folder_.path()); }), "is a folder");
}

}  // namespace
}  // namespace kdbench::word_vectors_test
