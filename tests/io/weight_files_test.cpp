// SPDX-License-Identifier: MIT
// Weight files of model folders, whole and sharded; which name a tensor is kept under is given.
#include "io/weights/weight_files.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/base/sha256.h"
#include "tests/io/rank_folder.h"

namespace kdbench {
namespace {

using nlohmann::json;
using testing::error_of;
using testing::RankFolder;

class WeightFiles : public ::testing::Test {
 protected:
  TensorMap read() const { return read_weight_files(folder_.path); }

  RankFolder folder_;
};

TEST_F(WeightFiles, FloatsAreFloat32AndTheRestIsAsItIs) {
  write_safetensors(folder_.path / "model.safetensors",
                    {{"x.a", at::full({2, 2}, 0.5, at::kBFloat16)},
                     {"x.b", at::ones({3}, at::kDouble)},
                     {"ids", at::arange(3, at::kLong)}});
  const TensorMap found = read();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(at::equal(found.at("x.a"), at::full({2, 2}, 0.5)));
  EXPECT_TRUE(at::equal(found.at("x.b"), at::ones({3})));
  EXPECT_EQ(found.at("ids").scalar_type(), at::kLong);
}

TEST_F(WeightFiles, MayBeShards) {
  write_safetensors(folder_.path / "one.safetensors", {{"a", at::ones({1})}});
  write_safetensors(folder_.path / "two.safetensors", {{"b", at::zeros({2})}});
  const auto index = [&](const json& map) {
    testing::write_bytes(folder_.path / "model.safetensors.index.json",
                         json{{"weight_map", map}}.dump());
  };
  index({{"a", "one.safetensors"}, {"b", "two.safetensors"}});
  const TensorMap found = read();
  EXPECT_EQ(found.size(), 2u);
  EXPECT_EQ(found.at("b").numel(), 2);
  const std::string hash = model_weights_sha256(folder_.path);
  EXPECT_EQ(hash, sha256(file_sha256(folder_.path / "one.safetensors") +
                         file_sha256(folder_.path / "two.safetensors")));
  write_safetensors(folder_.path / "two.safetensors",
                    {{"a", at::zeros({2})}, {"b", at::zeros({2})}});
  EXPECT_HAS(error_of([&] { read(); }), "two.safetensors:a: is in another shard already");
  index({{"a", "one.safetensors"}, {"b", "one.safetensors"}});
  EXPECT_HAS(error_of([&] { read(); }), "one.safetensors: lacks b");
  for (const char* outside :
       {"../one.safetensors", "/etc/passwd", "sub/one.safetensors", "one.bin", ""}) {
    index({{"a", outside}});
    EXPECT_HAS(error_of([&] { read(); }), "no .safetensors file of this folder");
  }
}

TEST_F(WeightFiles, FoldersWithoutReadableOnes) {
  EXPECT_HAS(error_of([&] { read(); }), "holds no weights");
  testing::write_bytes(folder_.path / "pytorch_model.bin", "PK");
  const std::string error = error_of([&] { read(); });
  EXPECT_HAS(error, "pytorch_model.bin: is a pickle");
  EXPECT_HAS(error, "torch.load('pytorch_model.bin', weights_only=True)");
}

TEST_F(WeightFiles, OtherFormsAreRefusedByNameOrNamedAsUnused) {
  testing::write_bytes(folder_.path / "tf_model.h5", "\x89HDF");
  EXPECT_HAS(error_of([&] { read(); }),
             "tf_model.h5: holds TensorFlow's weights, which is not read");
  EXPECT_HAS(error_of([&] { read(); }), "from_tf=True");
  testing::write_bytes(folder_.path / "adapter_model.safetensors", "");
  write_safetensors(folder_.path / "model.safetensors", {{"a", at::ones({1})}});
  EXPECT_EQ(read().size(), 1U);
  EXPECT_EQ(unused_weight_files(folder_.path),
            (std::vector<std::string>{"tf_model.h5", "adapter_model.safetensors"}));
}

// What downloads leave in the place of a file.
TEST_F(WeightFiles, StandInsAreNamed) {
  const auto error = [&](const char* name, const std::string& content) {
    testing::write_bytes(folder_.path / name, content);
    return error_of([&] { read(); });
  };
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 438007537\n";
  EXPECT_HAS(error("pytorch_model.bin", pointer), "is a Git LFS pointer");
  const std::string weights = error("model.safetensors", pointer);
  EXPECT_HAS(weights, "model.safetensors: is a Git LFS pointer");
  EXPECT_HAS(weights, "438007537 bytes");
  EXPECT_HAS(weights, "git lfs pull");
  EXPECT_HAS(error("model.safetensors", "\n <!DOCTYPE HTML><html>"), "is a web page, not the file");
  EXPECT_HAS(error("model.safetensors", ""), "model.safetensors: is empty");
}

// A loop of links stands for all that cannot be looked at: root may look at everything else.
TEST_F(WeightFiles, WhatCannotBeLookedAtIsAUsersError) {
  std::filesystem::create_symlink("loop", folder_.path / "loop");
  EXPECT_HAS(error_of([&] { read_weight_files(folder_.path / "loop"); }),
             "cannot be looked at: Too many levels of symbolic links");
}

}  // namespace
}  // namespace kdbench
