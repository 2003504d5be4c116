// SPDX-License-Identifier: MIT
#include "io/weights/safetensors.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/io/rank_folder.h"
#include "tests/support/test_data.h"

namespace kdbench::safetensors_test {
namespace {

using testing::error_of;
using testing::RankFolder;

// A file of this header and as many bytes of data.
std::string with_header(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header +
         std::string(data_bytes, '\1');
}

class Safetensors : public ::testing::Test {
 protected:
  std::string refused(const std::string& bytes) {
    const auto path = folder_.path / "bad.safetensors";
    testing::write_bytes(path, bytes);
    const std::string error = error_of([&] { read_safetensors(path); });
    EXPECT_HAS(error, "bad.safetensors");
    return error;
  }
  std::string refused_header(const std::string& header, size_t data_bytes = 8) {
    return refused(with_header(header, data_bytes));
  }
  // A header with one tensor "t".
  std::string refused_entry(const std::string& dtype, const std::string& shape,
                            const std::string& offsets, size_t data_bytes = 8) {
    return refused_header(R"({"t":{"dtype":)" + dtype + R"(,"shape":)" + shape +
                              R"(,"data_offsets":)" + offsets + "}}",
                          data_bytes);
  }

  RankFolder folder_;
};

TEST_F(Safetensors, EveryTypeComesBack) {
  const TensorMap tensors{
      {"f64", at::tensor({0.1, -1e300}, at::kDouble)},
      {"f32", at::tensor({1.5, -2.25, 3.0}, at::kFloat).reshape({3, 1})},
      {"f16", at::tensor({1.5, -65504.0, 0.0}).to(at::kHalf)},
      {"bf16", at::tensor({1.5, -3e38, 0.0}).to(at::kBFloat16)},
      {"i64", at::tensor({int64_t{-5'000'000'000}, int64_t{7}}, at::kLong)},
      {"i32", at::tensor({-7, 8}, at::kInt)},
      {"i16", at::tensor({-32768, 32767}, at::kShort)},
      {"i8", at::tensor({-128, 127, 0}, at::kChar)},
      {"u8", at::tensor({0, 255}, at::kByte)},
      {"bool", at::tensor({1, 0, 1}, at::kInt).to(at::kBool)},
      {"scalar", at::scalar_tensor(4.0)},
      {"empty", at::empty({2, 0, 3})},
      {"strange name \"\n\xC3\xA4", at::ones({1})},
  };
  const auto path = folder_.path / "all.safetensors";
  write_safetensors(path, tensors, {{"format", "pt"}, {"note", "x"}});
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".partial"));
  std::map<std::string, std::string> metadata;
  const TensorMap found = read_safetensors(path, &metadata);
  EXPECT_EQ(metadata, (std::map<std::string, std::string>{{"format", "pt"}, {"note", "x"}}));
  ASSERT_EQ(found.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_EQ(found.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(found.at(name), tensor)) << name;
  }
  uint64_t length = 0;
  std::memcpy(&length, testing::file_bytes(path).data(), 8);
  EXPECT_EQ(length % 8, 0u);
}

TEST_F(Safetensors, ViewsAreWrittenAsTheyLook) {
  const auto path = folder_.path / "view.safetensors";
  const at::Tensor whole = at::arange(12, at::kFloat).reshape({3, 4});
  write_safetensors(path, {{"t", whole.t()}, {"part", whole.slice(1, 1, 3)}});
  const TensorMap found = read_safetensors(path);
  EXPECT_TRUE(at::equal(found.at("t"), whole.t()));
  EXPECT_TRUE(at::equal(found.at("part"), whole.slice(1, 1, 3)));
}

// The bytes of the format, written down by hand.
TEST_F(Safetensors, ReadsTheDocumentedBytes) {
  const auto path = folder_.path / "hand.safetensors";
  std::string bytes =
      with_header(R"({"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}  )", 0);
  bytes += std::string("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
  testing::write_bytes(path, bytes);
  EXPECT_TRUE(at::equal(read_safetensors(path).at("a"), at::tensor({1.f, -2.f}).reshape({1, 2})));
}

TEST_F(Safetensors, BoolsAreZeroOrOne) {
  const auto path = folder_.path / "bool.safetensors";
  testing::write_bytes(
      path, with_header(R"({"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", 0) +
                std::string("\x00\x7f", 2));
  const at::Tensor found = read_safetensors(path).at("a");
  EXPECT_EQ(found.view(at::kByte)[1].item<int>(), 1);
  EXPECT_EQ(found.view(at::kByte)[0].item<int>(), 0);
}

TEST_F(Safetensors, AFileWithoutTensorsIsFine) {
  const auto path = folder_.path / "none.safetensors";
  write_safetensors(path, {}, {});
  EXPECT_TRUE(read_safetensors(path).empty());
}

// ---- hostile files

TEST_F(Safetensors, LengthsOfTheHeader) {
  EXPECT_HAS(refused(""), "is empty");
  EXPECT_HAS(refused("1234567"), "shorter than 8 bytes");
  EXPECT_HAS(refused("abc"), "shorter than 8 bytes");
  EXPECT_HAS(refused(std::string(8, '\xff')), "more than 100 MB");
  EXPECT_HAS(refused(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)),
             "more than 100 MB");  // 100,000,001
  EXPECT_HAS(refused(std::string("\x03\0\0\0\0\0\0\0{}", 10)), "longer than the file");
  EXPECT_HAS(error_of([&] { read_safetensors(folder_.path / "none"); }), "cannot be read");
  EXPECT_HAS(error_of([&] { read_safetensors(folder_.path); }), "cannot be read");
}

TEST_F(Safetensors, HeadersThatAreNoObject) {
  EXPECT_HAS(refused_header("", 0), "no JSON");
  EXPECT_HAS(refused_header("{", 0), "no JSON");
  EXPECT_HAS(refused_header("{}x", 0), "no JSON");
  EXPECT_HAS(refused_header("[]", 0), "no JSON object");
  EXPECT_HAS(refused_header("{\"\xff\":1}", 0), "no JSON");
  EXPECT_HAS(refused_header(std::string(1'000'000, '['), 0), "nested too deeply");
  EXPECT_HAS(refused_header(R"({"t":1})"), "t: the header has no object");
  EXPECT_HAS(refused_header(R"({"__metadata__":{"a":1}})", 0), "__metadata__");
}

TEST_F(Safetensors, NamesThatOccurTwice) {
  const std::string entry = R"({"dtype":"U8","shape":[8],"data_offsets":[0,8]})";
  EXPECT_HAS(refused_header(R"({"t":)" + entry + R"(,"t":)" + entry + "}"), "names t twice");
  EXPECT_HAS(
      refused_header(R"({"t":{"dtype":"U8","dtype":"I8","shape":[8],"data_offsets":[0,8]}})"),
      "dtype twice");
}

TEST_F(Safetensors, Types) {
  EXPECT_HAS(refused_entry("\"F8_E4M3\"", "[8]", "[0,8]"), "t: dtype F8_E4M3 is not supported");
  EXPECT_HAS(refused_entry("7", "[8]", "[0,8]"), "has no dtype");
  EXPECT_HAS(refused_header(R"({"t":{"shape":[8],"data_offsets":[0,8]}})"), "has no dtype");
}

TEST_F(Safetensors, Shapes) {
  EXPECT_HAS(refused_entry("\"U8\"", "[-8]", "[0,8]"), "something else than sizes");
  EXPECT_HAS(refused_entry("\"U8\"", "[8.0]", "[0,8]"), "something else than sizes");
  EXPECT_HAS(refused_entry("\"U8\"", "[\"8\"]", "[0,8]"), "something else than sizes");
  EXPECT_HAS(refused_entry("\"U8\"", "8", "[0,8]"), "no list shape");
  EXPECT_HAS(refused_entry("\"F32\"", "[4294967296,4294967296]", "[0,8]"), "too large");
  EXPECT_HAS(refused_entry("\"F32\"", "[4611686018427387904]", "[0,0]", 0),
             "too large");  // 2^62 * 4 = 0
  EXPECT_HAS(refused_entry("\"U8\"", "[18446744073709551615]", "[0,8]"), "too large");
  EXPECT_HAS(refused_entry("\"U8\"", "[0,9223372036854775807,9223372036854775807]", "[0,0]", 0),
             "too large");
  std::string many = "[1";
  for (int i = 0; i < 70; ++i) many += ",1";
  EXPECT_HAS(refused_entry("\"U8\"", many + "]", "[0,1]", 1), "too many dimensions");
}

TEST_F(Safetensors, Offsets) {
  EXPECT_HAS(refused_entry("\"U8\"", "[8]", "[0,9]"), "outside the file's 8 bytes");
  EXPECT_HAS(refused_entry("\"U8\"", "[8]", "[8,0]"), "outside the file");
  EXPECT_HAS(refused_entry("\"U8\"", "[8]", "[0,18446744073709551615]"), "outside the file");
  EXPECT_HAS(refused_entry("\"U8\"", "[8]", "[-1,7]"), "something else than sizes");
  EXPECT_HAS(refused_entry("\"U8\"", "[8]", "[0]"), "outside the file");
  EXPECT_HAS(refused_entry("\"F32\"", "[3]", "[0,8]"), "span 8 bytes, the shape needs 12");
  EXPECT_HAS(refused_entry("\"U8\"", "[4]", "[4,8]"), "bytes before it belong to no tensor");
  EXPECT_HAS(refused_entry("\"U8\"", "[4]", "[0,4]"), "4 bytes at its end belong to no tensor");
  EXPECT_HAS(refused_header(R"({"a":{"dtype":"U8","shape":[6],"data_offsets":[0,6]},)"
                            R"("b":{"dtype":"U8","shape":[6],"data_offsets":[2,8]}})"),
             "b: shares bytes");
}

// No prefix of a good file is taken for a file.
TEST_F(Safetensors, ACutFileIsRefusedWhereverItEnds) {
  const auto path = folder_.path / "good.safetensors";
  write_safetensors(path, {{"a", at::ones({5})}, {"b", at::ones({2, 2}, at::kHalf)}});
  const std::string bytes = testing::file_bytes(path);
  for (size_t length = 0; length < bytes.size(); ++length) refused(bytes.substr(0, length));
}

TEST(SafetensorsModel, SurvivesARoundTrip) {
  const auto path = testing::test_data("models/rte-student/model.safetensors");
  const RankFolder folder;
  const TensorMap tensors = read_safetensors(path);
  ASSERT_TRUE(tensors.contains("bert.embeddings.position_embeddings.weight"));
  EXPECT_EQ(tensors.at("bert.embeddings.position_embeddings.weight").sizes(),
            (at::IntArrayRef{64, 16}));
  const auto copy = folder.path / "copy.safetensors";
  write_safetensors(copy, tensors);
  for (const auto& [name, tensor] : read_safetensors(copy))
    EXPECT_TRUE(at::equal(tensor, tensors.at(name))) << name;
}

}  // namespace
}  // namespace kdbench::safetensors_test
