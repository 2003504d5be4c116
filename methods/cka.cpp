// SPDX-License-Identifier: MIT
#include "methods/cka.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "methods/ops/flat_rows.h"
#include "methods/ops/with_gradient.h"

namespace kdbench {
namespace {

constexpr double kSmallestNorm = 1e-12;
constexpr double kLogOffset = 1e-8;

// H K H. Plain loops here and below: Grams are small and many, and LibTorch's operations on them
// take longer to start than to run.
at::Tensor centred(const at::Tensor& gram) {
  at::Tensor k = at::empty(gram.sizes(), at::kDouble).copy_(gram);
  double* values = k.mutable_data_ptr<double>();
  const int64_t n = gram.size(0);
  std::vector<double> means(static_cast<size_t>(n), 0.0);  // of rows, and of columns: K = K^T
  double mean = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) means[i] += values[i * n + j];
    means[i] /= static_cast<double>(n);
    mean += means[i] / static_cast<double>(n);
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) values[i * n + j] += mean - means[i] - means[j];
  }
  return k;
}

struct Extent {
  int64_t begin, size;
};

std::vector<Extent> extents(const at::Tensor& offsets) {
  const int64_t* starts = offsets.const_data_ptr<int64_t>();
  std::vector<Extent> rows;
  for (int64_t r = 0; r + 1 < offsets.size(0); ++r)
    rows.push_back({starts[r], starts[r + 1] - starts[r]});
  return rows;
}

at::Tensor gram(const at::Tensor& x) { return x.mm(x.t()); }

Cka row_cka(const at::Tensor& student, const at::Tensor& teacher, const Extent& row) {
  if (row.size < 2) return {1.0, {}};
  return linear_cka(gram(student.narrow(0, row.begin, row.size)),
                    gram(teacher.narrow(0, row.begin, row.size)));
}

std::vector<Cka> row_ckas(const at::Tensor& student, const at::Tensor& teacher,
                          const std::vector<Extent>& rows) {
  std::vector<Cka> found(rows.size());
  at::parallel_for(0, static_cast<int64_t>(rows.size()), 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard no_gradients;  // of this thread
    for (int64_t r = begin; r < end; ++r) found[r] = row_cka(student, teacher, rows[r]);
  });
  return found;
}

// This share's part of the value, and d loss / d CKA of each of its rows.
struct Reduced {
  double value = 0.0;
  std::vector<double> slopes;
};

Reduced mean_of_logs(const std::vector<Cka>& rows, int64_t global_rows) {
  Reduced loss;
  for (const auto& row : rows) {
    if (row.slope.defined()) loss.value += cka_loss(row.value) / static_cast<double>(global_rows);
    loss.slopes.push_back(cka_loss_slope(row.value) / static_cast<double>(global_rows));
  }
  return loss;
}

Reduced log_of_mean(const std::vector<Cka>& rows, int64_t global_rows, GlobalBatch& ranks) {
  const auto count = static_cast<double>(global_rows);
  double sum = 0.0;
  for (const auto& row : rows) sum += std::abs(row.value);
  const at::Tensor whole = at::full({1}, sum, at::kDouble);
  ranks.sum(whole);
  const double mean = whole.item<double>() / count;
  Reduced loss;
  loss.value = cka_loss(mean) * static_cast<double>(rows.size()) / count;
  for (const auto& row : rows)
    loss.slopes.push_back(cka_loss_slope(mean) * (row.value < 0.0 ? -1.0 : 1.0) / count);
  return loss;
}

// The flattened rows of the whole global batch.
struct GlobalRows {
  FlatRows rows;
  at::Tensor student, teacher;  // arranged
  std::vector<int64_t> own;     // places of this share's rows
  int64_t first_token = 0;      // of this share, among all
};

GlobalRows gather_rows(const at::Tensor& student, const at::Tensor& teacher,
                       const at::Tensor& offsets, GlobalBatch& ranks) {
  int64_t first_row = 0, first_token = 0;
  const at::Tensor lengths = ranks.gather(offsets.diff(), &first_row);
  const at::Tensor states = ranks.gather(at::cat({student, teacher}, 1), &first_token);
  const at::Tensor all = at::cat({at::zeros({1}, at::kLong), lengths.cumsum(0)});
  FlatRows rows(all, student.device());
  const int64_t width = student.size(1);
  at::Tensor x = rows.arrange(states.narrow(1, 0, width));
  at::Tensor y = rows.arrange(states.narrow(1, width, teacher.size(1)));
  auto own = rows.places_of(first_row, offsets.size(0) - 1);
  return {std::move(rows), std::move(x), std::move(y), std::move(own), first_token};
}

// sum += scale * slope X for this share's rows; sum (T, H).
void add_own_rows(at::Tensor& sum, const GlobalRows& all, const at::Tensor& slope, double scale) {
  const at::Tensor own = at::tensor(all.own, at::kLong).to(sum.device());
  const at::Tensor weights = (slope * scale).to(sum.scalar_type()).index_select(0, own);
  for (const auto& block : all.rows.blocks()) {
    const int64_t active =
        std::lower_bound(all.own.begin(), all.own.end(), block.rows) - all.own.begin();
    if (active == 0) continue;
    const at::Tensor added = weights.narrow(0, 0, active)
                                 .narrow(1, 0, block.rows)
                                 .mm(FlatRows::part(all.student, block));
    const at::Tensor tokens = all.rows.tokens_of(block).index_select(0, own.narrow(0, 0, active));
    sum.index_add_(0, tokens.flatten() - all.first_token, added.view({-1, sum.size(1)}));
  }
}

}  // namespace

Cka linear_cka(const at::Tensor& gram_x, const at::Tensor& gram_y) {
  const at::NoGradGuard no_gradients;
  const at::Tensor centred_x = centred(gram_x), centred_y = centred(gram_y);
  const double* x = centred_x.const_data_ptr<double>();
  double* y = centred_y.mutable_data_ptr<double>();
  double xx = 0.0, yy = 0.0, xy = 0.0;
  for (int64_t i = 0; i < centred_x.numel(); ++i) {
    xx += x[i] * x[i];
    yy += y[i] * y[i];
    xy += x[i] * y[i];
  }
  const double nx = std::max(std::sqrt(xx), kSmallestNorm);
  const double ny = std::max(std::sqrt(yy), kSmallestNorm);
  const double value = xy / (nx * ny);
  const double of_norm = std::sqrt(xx) > kSmallestNorm ? value / (nx * nx) : 0.0;
  for (int64_t i = 0; i < centred_x.numel(); ++i) y[i] = y[i] / (nx * ny) - x[i] * of_norm;
  return {value, centred_y.to(gram_x.device())};
}

double cka_loss(double cka) { return -std::log(std::abs(cka) + kLogOffset); }

double cka_loss_slope(double cka) {
  if (cka == 0.0) return 0.0;
  return (cka < 0.0 ? 1.0 : -1.0) / (std::abs(cka) + kLogOffset);
}

at::Tensor intra_cka_loss(const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& offsets, int64_t global_rows, IntraReduction reduction,
                          GlobalBatch& ranks) {
  const at::Tensor x = student.detach();
  const auto rows = extents(offsets);
  const auto ckas = row_ckas(x, teacher.detach(), rows);
  const Reduced loss = reduction == IntraReduction::kMeanOfLogs
                           ? mean_of_logs(ckas, global_rows)
                           : log_of_mean(ckas, global_rows, ranks);
  return with_gradient(loss.value, student, [=](at::Tensor& sum, double scale) {
    for (size_t r = 0; r < rows.size(); ++r) {
      if (!ckas[r].slope.defined()) continue;
      sum.narrow(0, rows[r].begin, rows[r].size)
          .addmm_(ckas[r].slope.to(x.scalar_type()), x.narrow(0, rows[r].begin, rows[r].size), 1.0,
                  2.0 * scale * loss.slopes[r]);
    }
  });
}

at::Tensor local_cka_loss(const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& offsets, int64_t global_rows, GlobalBatch& ranks) {
  GlobalRows all = gather_rows(student.detach(), teacher.detach(), offsets, ranks);
  if (all.rows.rows() < 2 || all.own.empty())
    return with_gradient(0.0, student, [](at::Tensor&, double) {});
  const Cka cka = linear_cka(flat_gram(all.rows, all.student), flat_gram(all.rows, all.teacher));
  all.teacher.reset();
  const double share = static_cast<double>(all.own.size()) / static_cast<double>(global_rows);
  const double slope = 2.0 * cka_loss_slope(cka.value);
  return with_gradient(cka_loss(cka.value) * share, student,
                       [=, all = std::move(all)](at::Tensor& sum, double scale) {
                         add_own_rows(sum, all, cka.slope, slope * scale);
                       });
}

}  // namespace kdbench
