// SPDX-License-Identifier: MIT
#include "methods/memory_structure.h"

#include <cmath>

#include "methods/cka.h"
#include "tests/methods/one_rank.h"
#include "tests/methods/op_check.h"

namespace kdbench::memory_structure_test {
namespace {

using testing::numbers;
using testing::Tensors;

constexpr int64_t kPositions = 10, kCentroids = 4, kWidth = 3, kTeacherWidth = 5;
const std::vector<int64_t> kLengths = {4, 9, 2, 9, 6};
const at::Tensor kStudent = numbers({30, kWidth}), kTeacher = numbers({30, kTeacherWidth}, 2.0);
const at::Tensor kMemory = numbers({kCentroids, kPositions* kWidth}, 3.0);
const at::Tensor kTeacherMemory = numbers({kCentroids, kPositions* kTeacherWidth}, 4.0);
testing::OneRank alone;

// One of three ranks. They add up the Gram of a known memory, of which each has its own columns'
// part, and their rows.
class OneOfThree : public GlobalBatch {
 public:
  OneOfThree(int64_t rank, const at::Tensor& memory, int64_t rows)
      : rank_(rank), memory_(memory.detach()), rows_(rows) {}
  int64_t rank() const override { return rank_; }
  int64_t size() const override { return 3; }
  at::Tensor gather(const at::Tensor& rows, int64_t*) override {
    ADD_FAILURE() << "gathers nothing";
    return rows;
  }
  void sum(const at::Tensor& tensor) override {
    testing::expect_close(tensor, parts(memory_.tensor_split(3, 1)[rank_], rows_), 1e-12, "parts");
    at::Tensor total = tensor;
    total.copy_(parts(memory_, static_cast<int64_t>(kLengths.size())));
  }

 private:
  static at::Tensor parts(const at::Tensor& columns, int64_t rows) {
    return at::cat({columns.mm(columns.t()).flatten(), at::full({1}, rows, columns.options())});
  }
  int64_t rank_;
  at::Tensor memory_;
  int64_t rows_;
};

at::Tensor offsets_of(const std::vector<int64_t>& lengths) {
  return testing::rows_of(lengths).offsets;
}

at::Tensor padded(const at::Tensor& x, const std::vector<int64_t>& lengths) {
  Tensors rows;
  int64_t begin = 0;
  for (const int64_t n : lengths) {
    rows.push_back(at::cat(
        {x.narrow(0, begin, n).flatten(), at::zeros({(kPositions - n) * x.size(1)}, x.options())}));
    begin += n;
  }
  return at::stack(rows);
}

at::Tensor distances(const at::Tensor& f, const at::Tensor& m) {
  return (f.unsqueeze(1) - m.unsqueeze(0)).norm(2, -1);
}
at::Tensor cosines(const at::Tensor& f, const at::Tensor& m) {
  return f.mm(m.t()) / (f.norm(2, 1, true).clamp_min(1e-8) * m.norm(2, 1).clamp_min(1e-8));
}

struct Terms {
  at::Tensor distance, cosine, memory;
};

// On whole, padded rows.
Terms reference_terms(const at::Tensor& x, const at::Tensor& m, const at::Tensor& y,
                      const at::Tensor& teacher_memory, int64_t global_rows) {
  const at::Tensor f = padded(x, kLengths), t = padded(y, kLengths);
  const auto mean = 1.0 / static_cast<double>(global_rows * kCentroids);
  const auto centre = [](const at::Tensor& k) {
    return k - k.mean(0, true) - k.mean(1, true) + k.mean();
  };
  const at::Tensor ks = centre(m.mm(m.t())), kt = centre(teacher_memory.mm(teacher_memory.t()));
  const at::Tensor cka = (ks * kt).sum() / (ks.norm() * kt.norm());
  return {(distances(f, m) - distances(t, teacher_memory)).square().sum() * mean,
          (cosines(f, m) - cosines(t, teacher_memory)).square().sum() * mean,
          -(cka.abs() + 1e-8).log()};
}

TEST(MemoryStructure, AgreesWithPaddedRowsAndPlainAutograd) {
  for (const auto type : {at::kDouble, at::kFloat}) {
    const double tolerance = type == at::kDouble ? 1e-10 : 1e-5;
    const at::Tensor y = kTeacher.to(type), teacher_memory = kTeacherMemory.to(type);
    for (const double gamma : {0.0, 0.3, 1.0}) {
      const MemoryStructure structure(teacher_memory, gamma);
      testing::expect_same(
          [&](const Tensors& in) {
            return structure.loss(in[0], y, offsets_of(kLengths), 5, in[1], alone).total;
          },
          [&](const Tensors& in) {
            const Terms terms = reference_terms(in[0], in[1], y, teacher_memory, 5);
            return gamma * terms.distance + (1 - gamma) * terms.cosine + terms.memory;
          },
          {kStudent.to(type), kMemory.to(type)}, tolerance);
    }
  }
}

TEST(MemoryStructure, GradientsAgreeWithFiniteDifferences) {
  const MemoryStructure structure(kTeacherMemory.to(at::kDouble), 0.4);
  const at::Tensor y = kTeacher.to(at::kDouble);
  testing::expect_differentiates(
      [&](const Tensors& in) {
        return structure.loss(in[0], y, offsets_of(kLengths), 5, in[1], alone).total;
      },
      {kStudent, kMemory}, 40);
}

// One token of width 2 per row and two centroids: f = (3, 4), M = {(0, 0), (3, 0)}; the teacher's
// the same but for M_2 = (6, 8).
TEST(MemoryStructure, HasTheValuesWorkedOutByHand) {
  const at::Tensor f = at::tensor({3.0, 4.0}, at::kDouble).view({1, 2});
  const at::Tensor own = at::tensor({0.0, 0.0, 3.0, 0.0}, at::kDouble).view({2, 2});
  const at::Tensor teacher = at::tensor({0.0, 0.0, 6.0, 8.0}, at::kDouble).view({2, 2});
  const MemoryLoss loss = MemoryStructure(teacher, 0.5).loss(f, f, offsets_of({1}), 1, own, alone);
  // Distances 5, 4 and 5, 5; cosines 0, 0.6 and 0, 1; two points are always alike.
  EXPECT_NEAR(loss.distance, 0.5, 1e-12);
  EXPECT_NEAR(loss.cosine, 0.16 / 2, 1e-12);
  EXPECT_NEAR(loss.memory, 0.0, 1e-7);
  EXPECT_NEAR(loss.total.item<double>(), 0.25 + 0.04, 1e-7);
}

TEST(MemoryStructure, ARowOnItsCentroidAndZerosAreSafe) {
  at::Tensor x = at::cat({numbers({1, 2}), at::zeros({1, 2})}).requires_grad_(true);
  at::Tensor memory = at::cat({x.detach().narrow(0, 0, 1), at::zeros({1, 2}), numbers({1, 2}, 1.0)})
                          .requires_grad_(true);
  const MemoryStructure structure(numbers({3, 2}, 5.0), 0.5);
  const MemoryLoss loss =
      structure.loss(x, numbers({2, 2}, 6.0), offsets_of({1, 1}), 2, memory, alone);
  loss.total.backward();
  for (const at::Tensor& value : {loss.total.detach(), x.grad(), memory.grad()}) {
    EXPECT_TRUE(at::isfinite(value).all().item<bool>());
  }
}

// As where there are about as many centroids as training rows: the teacher's stand on rows.
TEST(MemoryStructure, DistancesFarBelowTheNormsKeepTheirDigits) {
  const at::Tensor x = kStudent + 30.0, y = kTeacher + 40.0;
  const at::Tensor memory = padded(x, kLengths).narrow(0, 0, kCentroids) + 0.1 * kMemory;
  const at::Tensor teacher_memory = padded(y, kLengths).narrow(0, 0, kCentroids).clone();
  Tensors fast = testing::leaves_of({x, memory}, 0.0, false);
  const MemoryLoss loss = MemoryStructure(teacher_memory, 1.0)
                              .loss(fast[0], y, offsets_of(kLengths), 5, fast[1], alone);
  (loss.total - loss.memory).backward();

  Tensors exact = testing::leaves_of({x.to(at::kDouble), memory.to(at::kDouble)}, 0.0, false);
  const at::Tensor far = distances(padded(exact[0], kLengths), exact[1]);
  const at::Tensor teacher_far =
      distances(padded(y, kLengths).to(at::kDouble), teacher_memory.to(at::kDouble));
  const at::Tensor expected = (far - teacher_far).square().sum() / (5.0 * kCentroids);
  expected.backward();
  EXPECT_EQ(testing::largest(teacher_far.diag()), 0.0);
  EXPECT_LT(testing::largest(far.diag()), 1.0);
  // A pair's own part, which float32's rounding of |f|^2 - 2 <f, M> + |M|^2 would drown.
  const MemoryLoss near = MemoryStructure(teacher_memory.narrow(0, 2, 1), 1.0)
                              .loss(x.narrow(0, 13, 2), y.narrow(0, 13, 2), offsets_of({2}), 1,
                                    memory.narrow(0, 2, 1), alone);
  EXPECT_NEAR(near.distance, far.diag().square()[2].item<double>(), 1e-6);
  EXPECT_NEAR(loss.distance, expected.item<double>(), 1e-5 * expected.item<double>());
  testing::expect_close(fast[0].grad(), exact[0].grad(), 1e-4, "states");
}

// Shares of 2, 0 and 3 rows.
TEST(MemoryStructure, SharesAddUp) {
  const MemoryStructure structure(kTeacherMemory.to(at::kDouble), 0.4);
  const at::Tensor x = kStudent.to(at::kDouble), y = kTeacher.to(at::kDouble);
  at::Tensor whole_x = x.clone().requires_grad_(true);
  at::Tensor whole_memory = kMemory.to(at::kDouble).requires_grad_(true);
  const MemoryLoss whole = structure.loss(whole_x, y, offsets_of(kLengths), 5, whole_memory, alone);
  whole.total.backward();

  at::Tensor part_x = x.clone().requires_grad_(true);
  at::Tensor part_memory = kMemory.to(at::kDouble).requires_grad_(true);
  double total = 0.0, distance = 0.0, cosine = 0.0, memory = 0.0;
  int64_t row = 0, token = 0, rank = 0;
  for (const int64_t rows : {2, 0, 3}) {
    OneOfThree ranks(rank++, part_memory, rows);
    const std::vector<int64_t> lengths(kLengths.begin() + row, kLengths.begin() + row + rows);
    const at::Tensor offsets = offsets_of(lengths);
    const int64_t tokens = offsets[rows].item<int64_t>();
    const MemoryLoss part =
        structure.loss(part_x.narrow(0, token, tokens), y.narrow(0, token, tokens), offsets, 5,
                       part_memory, ranks);
    part.total.backward();
    total += part.total.item<double>();
    distance += part.distance;
    cosine += part.cosine;
    memory += part.memory;
    row += rows;
    token += tokens;
  }
  EXPECT_NEAR(total, whole.total.item<double>(), 1e-11);
  EXPECT_NEAR(distance, whole.distance, 1e-11);
  EXPECT_NEAR(cosine, whole.cosine, 1e-12);
  EXPECT_NEAR(memory, whole.memory, 1e-12);
  testing::expect_close(part_x.grad(), whole_x.grad(), 1e-11, "states");
  testing::expect_close(part_memory.grad(), whole_memory.grad(), 1e-11, "memory");
}

}  // namespace
}  // namespace kdbench::memory_structure_test
