// SPDX-License-Identifier: MIT
#include "methods/ops/lstm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "methods/ops/fast_path.h"
#include "methods/ops/function_state.h"
#include "methods/ops/lstm_cell.h"
#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrainRows = 16;

// One step of a direction, and the one before it in that direction: of its rows the first
// `linked.rows` go on from there.
struct Link {
  StepRows::Step step, linked;
};

// The steps of a direction in their order.
std::vector<Link> links_of(const StepRows& rows, bool backward) {
  const auto& steps = rows.steps();
  std::vector<Link> links;
  if (!backward) {
    for (size_t t = 0; t < steps.size(); ++t)
      links.push_back({steps[t], {t > 0 ? steps[t].rows : 0, t > 0 ? steps[t - 1].first : 0}});
  } else {
    for (size_t t = steps.size(); t-- > 0;) {
      const bool last = t + 1 == steps.size();
      links.push_back({steps[t], last ? StepRows::Step{0, 0} : steps[t + 1]});
    }
  }
  return links;
}

// What one direction works on: its columns of the tensors of both.
struct Direction {
  Direction(bool backward, int64_t width, const at::Tensor& hidden, const at::Tensor& gates,
            const at::Tensor& cells, const at::Tensor& states)
      : backward(backward),
        width(width),
        hidden(part(hidden, 0, 4 * width)),
        gates(part(gates, 1, 4 * width)),
        cells(part(cells, 1, width)),
        states(part(states, 1, width)) {}

  at::Tensor part(const at::Tensor& both, int64_t dimension, int64_t size) const {
    return both.narrow(dimension, backward ? size : 0, size);
  }

  bool backward;
  int64_t width;
  at::Tensor hidden;  // (4 H, H)
  at::Tensor gates;   // (T, 4 H)
  at::Tensor cells;   // (T, H)
  at::Tensor states;  // (T, H)
};

// Rows of a matrix, which may be columns of a wider one.
struct RowPointer {
  explicit RowPointer(const at::Tensor& matrix)
      : data(matrix.data_ptr<float>()), stride(matrix.stride(0)) {}
  float* operator[](int64_t row) const { return data + row * stride; }
  float* data;
  int64_t stride;
};

at::Tensor rows_of(const at::Tensor& matrix, int64_t first, int64_t count) {
  return matrix.narrow(0, first, count);
}

void run_direction(const Direction& d, const StepRows& rows) {
  const RowPointer gates(d.gates), cells(d.cells), states(d.states);
  const std::vector<float> nothing(static_cast<size_t>(d.width), 0.0f);
  const at::Tensor hidden = d.hidden.t();
  for (const Link& link : links_of(rows, d.backward)) {
    const StepRows::Step now = link.step, before = link.linked;
    if (before.rows > 0) {
      rows_of(d.gates, now.first, before.rows)
          .addmm_(rows_of(d.states, before.first, before.rows), hidden);
    }
    at::parallel_for(0, now.rows, kGrainRows, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const int64_t at = now.first + p;
        const float* cell = p < before.rows ? cells[before.first + p] : nothing.data();
        lstm_cell(d.width, gates[at], cell, cells[at], states[at]);
      }
    });
  }
}

// Leaves the gradients of the gates' sums in the gates.
void run_direction_backward(const Direction& d, const StepRows& rows, const at::Tensor& dstates) {
  const RowPointer gates(d.gates), cells(d.cells), dstate(dstates);
  const std::vector<float> nothing(static_cast<size_t>(d.width), 0.0f);
  // Of each place: what the step that was just passed leaves for the one before it.
  const at::Tensor dnext = at::zeros({rows.rows(), d.width}, dstates.options());
  const at::Tensor dcells = at::zeros_like(dnext);
  const RowPointer dstate_next(dnext), dcell(dcells);
  const auto links = links_of(rows, d.backward);
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    const StepRows::Step now = link->step, before = link->linked;
    at::parallel_for(0, now.rows, kGrainRows, [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p) {
        const int64_t at = now.first + p;
        const float* cell = p < before.rows ? cells[before.first + p] : nothing.data();
        lstm_cell_backward(d.width, gates[at], cell, cells[at], dstate[at], dstate_next[p],
                           dcell[p]);
      }
    });
    if (before.rows == 0) continue;
    at::Tensor to = rows_of(dnext, 0, before.rows);
    at::mm_out(to, rows_of(d.gates, now.first, before.rows), d.hidden);
  }
}

// The gradient of the hidden weights: over all tokens that have one before them in the direction.
void add_hidden_gradient(const Direction& d, const StepRows& rows, const at::Tensor& sum) {
  const int64_t linked = rows.tokens() - rows.rows();
  const at::Tensor later_gates = rows_of(d.gates, rows.rows(), linked);
  at::Tensor own = d.part(sum, 0, 4 * d.width);
  if (!d.backward) {
    own.addmm_(later_gates.t(), d.states.index_select(0, rows.before()));
  } else {
    own.addmm_(d.gates.index_select(0, rows.before()).t(), rows_of(d.states, rows.rows(), linked));
  }
}

void add_bias_gradient(const at::Tensor& bias, const at::Tensor& dgates, at::Tensor& returned) {
  ParameterGradient gradient(bias);
  gradient.sum().add_(dgates);
  returned = gradient.returned();
}

struct Lstm : torch::autograd::Function<Lstm> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& input,
                            const at::Tensor& hidden, const at::Tensor& input_bias,
                            const at::Tensor& hidden_bias, const StepRows& rows) {
    const int64_t width = hidden.size(1);
    const at::Tensor gates = at::addmm(input_bias + hidden_bias, x, input.t());
    const at::Tensor cells = at::empty({rows.tokens(), 2 * width}, x.options());
    const at::Tensor states = at::empty_like(cells);
    for (const bool backward : {false, true})
      run_direction({backward, width, hidden, gates, cells, states}, rows);
    ctx->save_for_backward({x, input, hidden, input_bias, hidden_bias, gates, cells, states});
    save_state(ctx, rows);
    return states;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const auto rows = saved_state<StepRows>(ctx);
    const at::Tensor &x = saved[0], &input = saved[1], &hidden = saved[2];
    const at::Tensor &gates = saved[5], &cells = saved[6], &states = saved[7];
    const at::Tensor dstates = gradients[0].contiguous();
    variable_list result(6);
    ParameterGradient dhidden(hidden);
    for (const bool backward : {false, true}) {
      const Direction d(backward, hidden.size(1), hidden, gates, cells, states);
      run_direction_backward(d, rows, d.part(dstates, 1, d.width));
      add_hidden_gradient(d, rows, dhidden.sum());
    }
    const at::Tensor& dgates = gates;
    if (ctx->needs_input_grad(0)) result[0] = dgates.mm(input);
    ParameterGradient dinput(input);
    dinput.sum().addmm_(dgates.t(), x);
    result[1] = dinput.returned();
    result[2] = dhidden.returned();
    const at::Tensor dbias = dgates.sum(0);
    add_bias_gradient(saved[3], dbias, result[3]);
    add_bias_gradient(saved[4], dbias, result[4]);
    return result;
  }
};

// One direction: each step's cells from the sums of its gates and the states of the step before.
at::Tensor reference_direction(const at::Tensor& gates, const at::Tensor& hidden,
                               const StepRows& rows, bool backward) {
  const int64_t width = hidden.size(1);
  std::vector<at::Tensor> states;
  at::Tensor state, cell;
  for (const Link& link : links_of(rows, backward)) {
    const int64_t linked = link.linked.rows;
    const at::Tensor none = at::zeros({link.step.rows - linked, width}, gates.options());
    const auto before = [&](const at::Tensor& last) {
      return linked == 0 ? none : at::cat({last.narrow(0, 0, linked), none});
    };
    const at::Tensor sums =
        rows_of(gates, link.step.first, link.step.rows) + before(state).mm(hidden.t());
    const auto gate = sums.chunk(4, 1);
    cell = gate[1].sigmoid() * before(cell) + gate[0].sigmoid() * gate[2].tanh();
    state = gate[3].sigmoid() * cell.tanh();
    states.push_back(state);
  }
  if (backward) std::reverse(states.begin(), states.end());
  return states.empty() ? gates.narrow(1, 0, width) : at::cat(states);
}

}  // namespace

at::Tensor lstm(const at::Tensor& x, const StepRows& rows, const LstmParameters& p) {
  if (!has_fast_path(x)) return lstm_reference(x, rows, p);
  return Lstm::apply(x.contiguous(), p.input, p.hidden, p.input_bias, p.hidden_bias, rows);
}

at::Tensor lstm_reference(const at::Tensor& x, const StepRows& rows, const LstmParameters& p) {
  const int64_t gate_rows = 4 * p.hidden.size(1);
  const at::Tensor gates = at::addmm(p.input_bias + p.hidden_bias, x, p.input.t());
  std::vector<at::Tensor> states;
  for (const int64_t first : {int64_t{0}, gate_rows}) {
    states.push_back(reference_direction(gates.narrow(1, first, gate_rows),
                                         p.hidden.narrow(0, first, gate_rows), rows, first > 0));
  }
  return at::cat(states, 1);
}

}  // namespace kdbench
