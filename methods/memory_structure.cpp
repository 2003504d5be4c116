// SPDX-License-Identifier: MIT
#include "methods/memory_structure.h"

#include <memory>
#include <utility>

#include "methods/cka.h"
#include "methods/ops/flat_rows.h"
#include "methods/ops/with_gradient.h"

namespace kdbench {
namespace {

constexpr double kSmallestNorm = 1e-8;
// |f|^2 - 2 <f, M> + |M|^2 has lost most of float32's digits where it is less than this share of
// the norms.
constexpr double kNear = 1e-2;

// Centroids' values at a block's positions: (K, positions * H).
at::Tensor slice(const at::Tensor& memory, const FlatRows::Block& block, int64_t width) {
  return memory.narrow(1, block.position * width, block.positions * width);
}

// The columns of a memory that this rank works on where each has to be worked on once.
struct Columns {
  int64_t begin, size;
  at::Tensor of(const at::Tensor& memory) const { return memory.narrow(1, begin, size); }
};

Columns own_columns(int64_t columns, const GlobalBatch& ranks) {
  const int64_t begin = columns * ranks.rank() / ranks.size();
  return {begin, columns * (ranks.rank() + 1) / ranks.size() - begin};
}

// What the ranks find out together: M M^T, (K, K) float64, and the rows of all their shares.
struct Sums {
  at::Tensor gram;
  double rows = 0.0;
};

Sums sums_of(const at::Tensor& memory, const Columns& own, int64_t rows, GlobalBatch& ranks) {
  const at::Tensor part = own.of(memory), gram = part.mm(part.t()).to(at::kDouble);
  const at::Tensor sums = at::cat({gram.flatten(), at::full({1}, rows, gram.options())});
  ranks.sum(sums);
  return {sums.narrow(0, 0, gram.numel()).view_as(gram), sums[gram.numel()].item<double>()};
}

// How rows stand to centroids. float64; rows by place.
struct Relations {
  at::Tensor distances, cosines;           // (b, K)
  at::Tensor row_squares, memory_squares;  // (b, 1), (1, K)
  at::Tensor row_norms, memory_norms;      // the same, at least 1e-8
};

// Sums the squares (b, K) of near pairs anew, from the differences themselves: a row on its
// centroid has distance 0. Few pairs are near.
void refine_near_pairs(const FlatRows& rows, const at::Tensor& arranged, const at::Tensor& memory,
                       const Relations& r, at::Tensor& squares) {
  const at::Tensor near = (squares < kNear * (r.row_squares + r.memory_squares)).nonzero().cpu();
  for (int64_t i = 0; i < near.size(0); ++i) {
    const int64_t place = near[i][0].item<int64_t>(), centroid = near[i][1].item<int64_t>();
    at::Tensor difference = memory.select(0, centroid).clone();
    for (const auto& block : rows.blocks()) {
      if (block.rows <= place) break;
      difference.narrow(0, block.position * arranged.size(1), block.positions * arranged.size(1))
          .sub_(FlatRows::part(arranged, block)[place]);
    }
    squares[place][centroid] = difference.square().sum(at::kDouble);
  }
}

// `gram`: M M^T, whose diagonal are the centroids' squares.
Relations relate(const FlatRows& rows, const at::Tensor& arranged, const at::Tensor& memory,
                 const at::Tensor& gram) {
  at::Tensor products = at::zeros({rows.rows(), memory.size(0)}, arranged.options());
  Relations r;
  r.row_squares = at::zeros({rows.rows(), 1}, arranged.options().dtype(at::kDouble));
  for (const auto& block : rows.blocks()) {
    const at::Tensor x = FlatRows::part(arranged, block);
    products.narrow(0, 0, block.rows).addmm_(x, slice(memory, block, arranged.size(1)).t());
    r.row_squares.narrow(0, 0, block.rows).add_(x.square().sum(1, true, at::kDouble));
  }
  const at::Tensor p = products.to(at::kDouble);
  r.memory_squares = gram.diag().to(at::kDouble).unsqueeze(0);
  r.row_norms = r.row_squares.sqrt().clamp_min(kSmallestNorm);
  r.memory_norms = r.memory_squares.sqrt().clamp_min(kSmallestNorm);
  at::Tensor squares = r.row_squares - 2.0 * p + r.memory_squares;
  refine_near_pairs(rows, arranged, memory, r, squares);
  r.distances = squares.sqrt();
  r.cosines = p / (r.row_norms * r.memory_norms);
  return r;
}

// d loss / d f_i = sum_k products_ik M_k + rows_i f_i;
// d loss / d M_k = sum_i products_ik f_i + centroids_k M_k + sum_l memory_kl M_l.
struct Slopes {
  at::Tensor products;   // (b, K)
  at::Tensor rows;       // (b, 1)
  at::Tensor centroids;  // (K, 1)
  at::Tensor memory;     // (K, K)
};

// The part of a cosine's slope that changes a norm; none where the norm is clamped.
at::Tensor norm_slope(const at::Tensor& sums, const at::Tensor& norms) {
  return at::where(norms > kSmallestNorm, sums / norms.square(), 0.0);
}

// From d loss / d D and d loss / d C.
Slopes slopes_of(const Relations& r, const at::Tensor& by_distance, const at::Tensor& by_cosine,
                 const at::Tensor& by_memory) {
  const at::Tensor pull = at::where(r.distances > 0.0, by_distance / r.distances, 0.0);
  const at::Tensor turn = by_cosine * r.cosines;
  const at::Tensor centroids = pull.sum(0, true) - norm_slope(turn.sum(0, true), r.memory_norms);
  return {by_cosine / (r.row_norms * r.memory_norms) - pull,
          pull.sum(1, true) - norm_slope(turn.sum(1, true), r.row_norms), centroids.t(), by_memory};
}

struct Work {
  FlatRows rows;
  at::Tensor arranged, memory;  // the student's
  Columns own;                  // of the memory
  Slopes slopes;                // in their type

  void add_to_states(at::Tensor& sum, double scale) const {
    at::Tensor added = at::empty_like(arranged);
    for (const auto& block : rows.blocks()) {
      at::Tensor part = FlatRows::part(added, block);
      at::mul_out(part, FlatRows::part(arranged, block), slopes.rows.narrow(0, 0, block.rows));
      part.addmm_(slopes.products.narrow(0, 0, block.rows), slice(memory, block, arranged.size(1)));
    }
    rows.add_back(sum, added, scale);
  }

  void add_to_memory(at::Tensor& sum, double scale) const {
    sum.addcmul_(slopes.centroids, memory, scale);
    own.of(sum).addmm_(slopes.memory, own.of(memory), 1.0, scale);
    for (const auto& block : rows.blocks()) {
      slice(sum, block, arranged.size(1))
          .addmm_(slopes.products.narrow(0, 0, block.rows).t(), FlatRows::part(arranged, block),
                  1.0, scale);
    }
  }
};

}  // namespace

MemoryStructure::MemoryStructure(const at::Tensor& teacher, double gamma)
    : teacher_(teacher), gram_(teacher.mm(teacher.t())), gamma_(gamma) {}

MemoryLoss MemoryStructure::loss(const at::Tensor& student, const at::Tensor& teacher,
                                 const at::Tensor& offsets, int64_t global_rows,
                                 const at::Tensor& memory, GlobalBatch& ranks) const {
  FlatRows rows(offsets, student.device());
  const at::Tensor states = rows.arrange(student.detach()), centroids = memory.detach();
  const Columns own = own_columns(centroids.size(1), ranks);
  const auto [gram, all_rows] = sums_of(centroids, own, rows.rows(), ranks);
  const Relations s = relate(rows, states, centroids, gram);
  const Relations t = relate(rows, rows.arrange(teacher.detach()), teacher_, gram_);
  const Cka cka = linear_cka(gram, gram_);

  const at::Tensor farther = s.distances - t.distances, turned = s.cosines - t.cosines;
  const auto count = static_cast<double>(global_rows);
  const double share = static_cast<double>(rows.rows()) / count;
  const double mean = 1.0 / (count * static_cast<double>(memory.size(0)));
  MemoryLoss loss;
  loss.distance = farther.square().sum().item<double>() * mean;
  loss.cosine = turned.square().sum().item<double>() * mean;
  loss.memory = cka_loss(cka.value) * share;

  const Slopes slopes =
      slopes_of(s, farther * (2.0 * gamma_ * mean), turned * (2.0 * (1.0 - gamma_) * mean),
                cka.slope * (2.0 * cka_loss_slope(cka.value) * all_rows / count));
  const auto type = states.scalar_type();
  const auto work =
      std::make_shared<const Work>(Work{std::move(rows),
                                        states,
                                        centroids,
                                        own,
                                        {slopes.products.to(type), slopes.rows.to(type),
                                         slopes.centroids.to(type), slopes.memory.to(type)}});
  const double value = gamma_ * loss.distance + (1.0 - gamma_) * loss.cosine + loss.memory;
  loss.total =
      with_gradient(value, student,
                    [work](at::Tensor& sum, double scale) { work->add_to_states(sum, scale); }) +
      with_gradient(0.0, memory,
                    [work](at::Tensor& sum, double scale) { work->add_to_memory(sum, scale); });
  return loss;
}

}  // namespace kdbench
