// SPDX-License-Identifier: MIT
// Whole runs of all methods on a device other than the CPU give the numbers of the CPU: nothing
// takes the memory of tensors for the host's.
#include "tests/support/other_device.h"

#include <gtest/gtest.h>

#include "tests/suite/parity.h"
#include "tests/support/test_data.h"

namespace kdbench::other_device_test {
namespace {

class OtherDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string why = testing::no_other_device();
    if (!why.empty()) GTEST_SKIP() << why;
  }
  void reproduce(const std::string& name, const std::vector<std::string>& overrides = {}) const {
    parity::reproduce(testing::test_data("parity") / name, overrides, control,
                      testing::other_device(control));
  }
  const Control control{MPI_COMM_WORLD};
};

class OtherDeviceCase : public OtherDevice, public ::testing::WithParamInterface<const char*> {};

TEST_P(OtherDeviceCase, Reproduces) { reproduce(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Cases, OtherDeviceCase, ::testing::ValuesIn(parity::kCases),
                         parity::name_of);

TEST_F(OtherDevice, OurTeacherGivesTheSameOutputs) {
  reproduce("pkd-skip-rte", {"method.pkd.teacher_outputs=\"store\""});
}

TEST_F(OtherDevice, ATeacherBesideTheStudentGivesTheSameOutputs) {
  reproduce("kd-mnli", {"method.kd.teacher_outputs=\"online\""});
  reproduce("fsd-ilg-rte", {"method.fsd.teacher_outputs=\"online\""});
}

// Of the far device: that it is far.
TEST(FarDeviceDeathTest, ItsMemoryIsNotTheHosts) {
  const at::Device far = testing::far_device();
  const at::Tensor values = at::arange(5, at::kFloat).to(far);
  EXPECT_EQ(values.device(), far);
  EXPECT_EQ((values + 1).sum().item<float>(), 15.0F);
  EXPECT_TRUE(at::equal(values.narrow(0, 1, 2).cpu(), at::tensor({1.0F, 2.0F})));
  const at::Tensor weight = at::ones({5}, at::TensorOptions(far)).requires_grad_();
  (weight * values).sum().backward();
  EXPECT_TRUE(at::equal(weight.grad().cpu(), values.cpu()));
  EXPECT_DEATH(static_cast<void>(*static_cast<const volatile float*>(values.data_ptr())), "");
}

}  // namespace
}  // namespace kdbench::other_device_test
