// SPDX-License-Identifier: MIT
// The repository's training cases, whose numbers this program gave when it reproduced those of an
// independent implementation (reference_parity_test.cpp).
#include "tests/suite/parity.h"

#include "tests/support/test_data.h"

namespace kdbench::parity_test {
namespace {

class Parity : public ::testing::TestWithParam<const char*> {};

TEST_P(Parity, Reproduces) { parity::reproduce(testing::test_data("parity") / GetParam(), {}); }

INSTANTIATE_TEST_SUITE_P(Cases, Parity, ::testing::ValuesIn(parity::kCases), parity::name_of);

TEST(ParityOfStages, OurTeacherGivesTheSameOutputs) {
  parity::expect_same_of_our_teacher(testing::test_data("parity"));
}

TEST(ParityOfStages, ATeacherBesideTheStudentGivesTheSameOutputs) {
  parity::expect_same_of_a_teacher_beside(testing::test_data("parity"));
}

TEST(ParityOfStages, ByWayOfTheTeacherItselfTakdIsKd) {
  parity::expect_takd_is_kd(testing::test_data("parity"), testing::test_data("models/rte-teacher"));
}

}  // namespace
}  // namespace kdbench::parity_test
