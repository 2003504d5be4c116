// SPDX-License-Identifier: MIT
#include "methods/cka.h"

#include <cmath>
#include <deque>

#include "methods/ops/flat_rows.h"
#include "tests/methods/one_rank.h"
#include "tests/methods/op_check.h"

namespace kdbench::cka_test {
namespace {

using testing::expect_close;
using testing::expect_differentiates;
using testing::numbers;
using testing::Tensors;
using testing::weigh;

constexpr auto kMeanOfLogs = IntraReduction::kMeanOfLogs;
constexpr auto kLogOfMean = IntraReduction::kLogOfMean;

// This rank stands between two others, whose rows (or addends) of the successive calls are known.
class Between : public GlobalBatch {
 public:
  struct Others {
    at::Tensor before, after;
  };
  explicit Between(std::deque<Others> calls) : calls_(std::move(calls)) {}
  int64_t rank() const override { return 1; }
  int64_t size() const override { return 3; }
  at::Tensor gather(const at::Tensor& rows, int64_t* first) override {
    const Others others = calls_.front();
    calls_.pop_front();
    *first = others.before.size(0);
    return at::cat({others.before, rows.detach(), others.after});
  }
  void sum(const at::Tensor& tensor) override {
    at::Tensor total = tensor;
    total += calls_.front().before + calls_.front().after;
    calls_.pop_front();
  }
  bool done() const { return calls_.empty(); }

 private:
  std::deque<Others> calls_;
};

testing::OneRank alone;

at::Tensor offsets_of(const std::vector<int64_t>& lengths) {
  return testing::rows_of(lengths).offsets;
}

// By its definition, with plain tensors.
at::Tensor reference_cka(const at::Tensor& x, const at::Tensor& y) {
  const int64_t n = x.size(0);
  const at::Tensor h = at::eye(n, x.options()) - 1.0 / static_cast<double>(n);
  const at::Tensor kx = h.mm(x.mm(x.t())).mm(h), ky = h.mm(y.mm(y.t())).mm(h);
  return (kx * ky).sum() / ((kx * kx).sum().sqrt() * (ky * ky).sum().sqrt());
}

at::Tensor reference_intra(const at::Tensor& x, const at::Tensor& y,
                           const std::vector<int64_t>& lengths, int64_t global_rows,
                           IntraReduction reduction) {
  Tensors losses, ckas;
  int64_t begin = 0;
  for (const int64_t n : lengths) {
    ckas.push_back(reference_cka(x.narrow(0, begin, n), y.narrow(0, begin, n)).abs());
    losses.push_back(-(ckas.back() + 1e-8).log());
    begin += n;
  }
  const auto count = static_cast<double>(global_rows);
  return reduction == kMeanOfLogs ? at::stack(losses).sum() / count
                                  : -(at::stack(ckas).sum() / count + 1e-8).log();
}

// (b, longest * H) with zeros behind each row's end.
at::Tensor padded(const at::Tensor& x, const std::vector<int64_t>& lengths) {
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  Tensors rows;
  int64_t begin = 0;
  for (const int64_t n : lengths) {
    rows.push_back(at::cat(
        {x.narrow(0, begin, n).flatten(), at::zeros({(longest - n) * x.size(1)}, x.options())}));
    begin += n;
  }
  return at::stack(rows);
}

at::Tensor reference_local(const at::Tensor& x, const at::Tensor& y,
                           const std::vector<int64_t>& lengths) {
  return -(reference_cka(padded(x, lengths), padded(y, lengths)).abs() + 1e-8).log();
}

// Two pairs of three samples in two dimensions.
const at::Tensor kX1 = at::tensor({1.0, 0.0, 0.0, 2.0, 3.0, 1.0}, at::kDouble).view({3, 2});
const at::Tensor kY1 = at::tensor({2.0, 1.0, 1.0, 1.0, 0.0, 3.0}, at::kDouble).view({3, 2});
const at::Tensor kX2 = at::tensor({1.0, 2.0, 2.0, 0.0, 0.0, 1.0}, at::kDouble).view({3, 2});
const at::Tensor kY2 = at::tensor({1.0, 1.0, 3.0, 0.0, 0.0, 2.0}, at::kDouble).view({3, 2});

TEST(Cka, HasTheValuesWorkedOutByHand) {
  const auto cka = [](const at::Tensor& x, const at::Tensor& y) {
    return linear_cka(x.mm(x.t()), y.mm(y.t())).value;
  };
  EXPECT_NEAR(cka(kX1, kY1), 0.6992521, 5e-8);
  EXPECT_NEAR(cka_loss(cka(kX1, kY1)), 0.3577439, 5e-8);
  EXPECT_NEAR(cka(kX2, kY2), 0.8602915, 5e-8);
  const at::Tensor x = at::cat({kX1, kX2}), y = at::cat({kY1, kY2}), rows = offsets_of({3, 3});
  EXPECT_NEAR(intra_cka_loss(x, y, rows, 2, kLogOfMean, alone).item<double>(), 0.2487539, 5e-8);
  EXPECT_NEAR(intra_cka_loss(x, y, rows, 2, kMeanOfLogs, alone).item<double>(), 0.2541140, 1e-7);
  // Rows of one token each are samples.
  EXPECT_NEAR(local_cka_loss(kX1, kY1, offsets_of({1, 1, 1}), 3, alone).item<double>(), 0.3577439,
              5e-8);
}

TEST(Cka, ConstantFeaturesGiveNeitherNanNorGradient) {
  const at::Tensor constant = at::ones({4, 3}, at::kDouble), y = numbers({4, 3}).to(at::kDouble);
  for (const auto& [first, second] : {std::pair(constant, y), std::pair(y, constant)}) {
    const at::Tensor x = first.clone().requires_grad_(true);
    const at::Tensor loss = intra_cka_loss(x, second, offsets_of({4}), 1, kMeanOfLogs, alone) +
                            local_cka_loss(x, second, offsets_of({1, 1, 1, 1}), 4, alone);
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), -2 * std::log(1e-8), 1e-9);
    EXPECT_EQ(testing::largest(x.grad()), 0.0);
  }
}

TEST(Cka, FewerThanTwoSamplesHaveNoStructure) {
  const at::Tensor x = numbers({3, 4}).to(at::kDouble).requires_grad_(true);
  const at::Tensor y = numbers({3, 4}, 1.0).to(at::kDouble);
  const at::Tensor single = local_cka_loss(x, y, offsets_of({3}), 1, alone);
  single.backward();
  EXPECT_EQ(single.item<double>(), 0.0);
  for (const auto reduction : {kMeanOfLogs, kLogOfMean}) {
    const at::Tensor loss = intra_cka_loss(x, y, offsets_of({1, 1, 1}), 3, reduction, alone);
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), 0.0, 1e-7);
  }
  EXPECT_EQ(testing::largest(x.grad()), 0.0);
}

// Student and teacher of different widths, rows of different lengths.
const std::vector<int64_t> kLengths = {4, 9, 2, 9, 6};
const at::Tensor kStudent = numbers({30, 7}), kTeacher = numbers({30, 5}, 2.0);

TEST(Cka, AgreesWithPlainAutograd) {
  const at::Tensor offsets = offsets_of(kLengths), teacher = kTeacher.to(at::kDouble);
  for (const auto type : {at::kDouble, at::kFloat}) {
    const double tolerance = type == at::kDouble ? 1e-11 : 2e-5;
    const at::Tensor y = kTeacher.to(type);
    for (const auto reduction : {kMeanOfLogs, kLogOfMean}) {
      testing::expect_same(
          [&](const Tensors& x) { return intra_cka_loss(x[0], y, offsets, 5, reduction, alone); },
          [&](const Tensors& x) { return reference_intra(x[0], y, kLengths, 5, reduction); },
          {kStudent.to(type)}, tolerance);
    }
    testing::expect_same(
        [&](const Tensors& x) { return local_cka_loss(x[0], y, offsets, 5, alone); },
        [&](const Tensors& x) { return reference_local(x[0], y, kLengths); }, {kStudent.to(type)},
        tolerance);
  }
}

TEST(Cka, GradientsAgreeWithFiniteDifferences) {
  const at::Tensor offsets = offsets_of(kLengths), teacher = kTeacher.to(at::kDouble);
  for (const auto reduction : {kMeanOfLogs, kLogOfMean}) {
    expect_differentiates(
        [&](const Tensors& x) {
          return intra_cka_loss(x[0], teacher, offsets, 5, reduction, alone);
        },
        {kStudent}, 40);
  }
  expect_differentiates(
      [&](const Tensors& x) { return local_cka_loss(x[0], teacher, offsets, 5, alone); },
      {kStudent}, 40);
}

// The middle two of five rows: their part of the value, and the gradient that the whole loss has.
TEST(Cka, AShareHasItsPartOfTheValueAndItsWholeGradient) {
  const at::Tensor x = kStudent.to(at::kDouble), y = kTeacher.to(at::kDouble);
  const int64_t begin = 4, tokens = 11;
  const at::Tensor states = at::cat({x, y}, 1), offsets = offsets_of({9, 2});
  const at::Tensor lengths = at::tensor(kLengths, at::kLong);
  const auto share = [](const at::Tensor& all, int64_t from, int64_t count) {
    return Between::Others{all.narrow(0, 0, from),
                           all.narrow(0, from + count, all.size(0) - from - count)};
  };
  at::Tensor ckas = at::zeros({5}, at::kDouble);
  for (int64_t r = 0, first = 0; r < 5; first += kLengths[r++]) {
    ckas[r] = reference_cka(x.narrow(0, first, kLengths[r]), y.narrow(0, first, kLengths[r]));
  }
  const Between::Others sums{ckas.narrow(0, 0, 1), ckas.narrow(0, 3, 2).sum(0, true)};

  for (const bool local : {true, false}) {
    at::Tensor whole = x.clone().requires_grad_(true);
    const at::Tensor expected = local ? reference_local(whole, y, kLengths)
                                      : reference_intra(whole, y, kLengths, 5, kLogOfMean);
    expected.backward();
    at::Tensor own = x.narrow(0, begin, tokens).clone().requires_grad_(true);
    const at::Tensor teacher = y.narrow(0, begin, tokens);
    Between ranks(
        local ? std::deque<Between::Others>{share(lengths, 1, 2), share(states, begin, tokens)}
              : std::deque<Between::Others>{sums});
    const at::Tensor loss = local ? local_cka_loss(own, teacher, offsets, 5, ranks)
                                  : intra_cka_loss(own, teacher, offsets, 5, kLogOfMean, ranks);
    loss.backward();
    EXPECT_TRUE(ranks.done());
    EXPECT_NEAR(loss.item<double>(), expected.item<double>() * 2 / 5, 1e-12);
    expect_close(own.grad(), whole.grad().narrow(0, begin, tokens), 1e-11, "gradient");
  }
}

TEST(Cka, AShareWithoutRowsTakesPart) {
  const at::Tensor none = at::empty({0, 7}).requires_grad_(true), offsets = offsets_of({});
  const at::Tensor lengths = at::tensor(kLengths, at::kLong);
  Between others({{lengths, lengths.narrow(0, 0, 0)},
                  {at::cat({kStudent, kTeacher}, 1), at::empty({0, 12})},
                  {at::full({1}, 4.5, at::kDouble), at::zeros({1}, at::kDouble)}});
  const at::Tensor teacher = at::empty({0, 5});
  const at::Tensor local = local_cka_loss(none, teacher, offsets, 5, others);
  const at::Tensor loss = local + intra_cka_loss(none, teacher, offsets, 5, kLogOfMean, others);
  loss.backward();
  EXPECT_TRUE(others.done());
  EXPECT_EQ(loss.item<double>(), 0.0);
}

TEST(FlatRows, ProductsAreThoseOfPaddedRows) {
  const FlatRows rows(offsets_of(kLengths), at::kCPU);
  const at::Tensor x = kStudent.to(at::kDouble), arranged = rows.arrange(x);
  // Lengths 9 9 6 4 2, and three blocks between them beside the first.
  ASSERT_EQ(rows.blocks().size(), 4u);
  EXPECT_EQ(rows.blocks()[0].rows, 5);
  EXPECT_EQ(rows.blocks()[3].rows, 2);
  EXPECT_EQ(rows.blocks()[3].position, 6);
  EXPECT_EQ(rows.places_of(1, 2), (std::vector<int64_t>{0, 4}));
  const at::Tensor flat = padded(x, kLengths);
  const at::Tensor order = at::tensor({1, 3, 4, 0, 2}, at::kLong);
  expect_close(flat_gram(rows, arranged), flat.mm(flat.t()).index({order}).index_select(1, order),
               1e-12, "Gram");
  at::Tensor sum = at::ones_like(x);
  rows.add_back(sum, arranged, 2.0);
  expect_close(sum, 1.0 + 2.0 * x, 1e-12, "back in place");
}

}  // namespace
}  // namespace kdbench::cka_test
