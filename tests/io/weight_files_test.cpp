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

std::string same_name(const std::string& name) { return name; }

class WeightFiles : public ::testing::Test {
 protected:
  TensorMap read(const WeightName& own_name = same_name) const {
    return read_weight_files(folder_.path, own_name);
  }

  RankFolder folder_;
};

TEST_F(WeightFiles, AreKeptUnderTheirGivenNamesAsFloats) {
  write_safetensors(folder_.path / "model.safetensors",
                    {{"x.a", at::full({2, 2}, 0.5, at::kBFloat16)},
                     {"x.b", at::ones({3}, at::kDouble)},
                     {"ids", at::arange(3, at::kLong)}});
  const TensorMap found =
      read([](const std::string& name) { return name == "ids" ? "" : name.substr(2); });
  ASSERT_EQ(found.size(), 2U);
  for (const auto& [name, tensor] : found) EXPECT_EQ(tensor.scalar_type(), at::kFloat) << name;
  EXPECT_TRUE(at::equal(found.at("a"), at::full({2, 2}, 0.5)));
  EXPECT_TRUE(at::equal(found.at("b"), at::ones({3})));
  EXPECT_HAS(error_of([&] { read(); }), "model.safetensors:ids: holds no floats");
}

TEST_F(WeightFiles, TwoTensorsOfOneNameAreRefused) {
  write_safetensors(folder_.path / "model.safetensors",
                    {{"a", at::ones({1})}, {"b", at::ones({1})}});
  EXPECT_HAS(error_of([&] { read([](const std::string&) { return "c"; }); }),
             "twice under different names");
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

}  // namespace
}  // namespace kdbench
