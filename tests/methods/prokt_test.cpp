// SPDX-License-Identifier: MIT
// The losses of both steps against numbers worked out by hand, and the inner terms against loops.
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "methods/hidden_alignment.h"
#include "methods/models/registry.h"
#include "methods/registry.h"
#include "tests/methods/one_rank.h"
#include "tests/support/tiny.h"

namespace kdbench::prokt_test {
namespace {

// A model whose logits are its parameters.
class LogitTable : public Model {
 public:
  explicit LogitTable(const at::Tensor& logits) {
    ParameterLayout layout;
    layout.add("logits", logits.sizes().vec());
    layout.add("classifier.weight", {2, 2});
    layout.add("classifier.bias", {2});
    layout.freeze();
    parameters_ = Parameters(layout, at::kCPU);
    at::NoGradGuard no_gradients;
    parameters_.values().fill_(1.0);
    parameters_["logits"].copy_(logits);
  }
  Outputs forward(const Batch&, const ForwardMode&) override {
    Outputs outputs;
    outputs.logits = parameters_["logits"];
    return outputs;
  }
  double forward_flops(int64_t) const override { return 0.0; }
  std::string classifier() const override { return "classifier"; }
};

at::Tensor student_logits() { return at::tensor({1.0, -.5, .2, .3, -1.5, .7}).reshape({3, 2}); }
at::Tensor teacher_logits() { return at::tensor({2.0, -1.0, -.4, .6, -3.0, 2.5}).reshape({3, 2}); }

// The two models, and the losses that the method makes of them.
struct Pair {
  Pair(const std::map<std::string, OptionValue>& options, const at::Tensor& own,
       const at::Tensor& others, const at::Tensor& labels)
      : student(own.to(at::kFloat)), teacher(others.to(at::kFloat)) {
    const MethodEntry& entry = find_method("prokt");
    std::map<std::string, OptionValue> values{};
    for (const auto& spec : entry.options) values[spec.name] = spec.fallback;
    for (const auto& [name, value] : options) values[name] = value;
    method = entry.make(Options(values));
    phase = method->phases({{{kStudent, &student}, {kTeacher, &teacher}}}).front();
    phase.begin();
    batch.global_rows = labels.size(0);
    batch.labels = labels;
    batch.row_ids = at::arange(labels.size(0), at::kLong);
    context.global_batch = &ranks;
  }
  Loss teacher_loss() { return phase.updates.at(0).loss(context, batch); }
  Loss student_loss() { return phase.updates.at(1).loss(context, batch); }

  LogitTable student, teacher;
  testing::OneRank ranks;
  std::unique_ptr<Method> method;
  Phase phase;
  Batch batch;
  StepContext context;
};

const at::Tensor& classes() {
  static const at::Tensor labels = at::tensor({0, 1, 0}, at::kLong);
  return labels;
}

void expect_term(const Loss& loss, size_t place, const std::string& name, double value) {
  EXPECT_EQ(loss.terms.at(place).first, name);
  EXPECT_NEAR(loss.terms.at(place).second.item<double>(), value, 2e-7 * std::max(1.0, value));
}

TEST(ProKt, LossesAreThePublishedOnes) {
  Pair pair({{"zero_classifier", false}}, student_logits(), teacher_logits(), classes());
  const Loss teacher = pair.teacher_loss(), student = pair.student_loss();
  expect_term(teacher, 0, "ce", 1.9553092);
  expect_term(teacher, 1, "kl", 0.1484560);
  EXPECT_NEAR(teacher.total.item<double>(), 1.2325679, 1e-6);
  expect_term(student, 0, "kl", 0.0861161);
  EXPECT_NEAR(student.total.item<double>(), 0.0861161, 1e-6);
}

TEST(ProKt, GradientsReachTheLearnerAlone) {
  Pair pair({{"zero_classifier", false}}, student_logits(), teacher_logits(), classes());
  pair.teacher_loss().total.backward();
  EXPECT_EQ(pair.student.parameters().gradients().abs().sum().item<float>(), 0.0f);
  EXPECT_GT(pair.teacher.parameters().gradients().abs().sum().item<float>(), 0.0f);
  pair.teacher.parameters().zero_gradients();
  pair.student_loss().total.backward();
  EXPECT_EQ(pair.teacher.parameters().gradients().abs().sum().item<float>(), 0.0f);
  EXPECT_GT(pair.student.parameters().gradients().abs().sum().item<float>(), 0.0f);
}

TEST(ProKt, ClassifiersBeginAtZero) {
  Pair pair({}, student_logits(), teacher_logits(), classes());
  for (Model* model : {static_cast<Model*>(&pair.student), static_cast<Model*>(&pair.teacher)}) {
    EXPECT_EQ(model->parameters()["classifier.weight"].abs().sum().item<float>(), 0.0f);
    EXPECT_EQ(model->parameters()["classifier.bias"].abs().sum().item<float>(), 0.0f);
    EXPECT_GT(model->parameters()["logits"].abs().sum().item<float>(), 0.0f);
  }
}

TEST(ProKt, AFineTunedTeacherKeepsItsClassifier) {
  Pair pair({{"teacher_start", std::string("fine-tuned")}}, student_logits(), teacher_logits(),
            classes());
  EXPECT_EQ(pair.student.parameters()["classifier.weight"].abs().sum().item<float>(), 0.0f);
  EXPECT_GT(pair.teacher.parameters()["classifier.weight"].abs().sum().item<float>(), 0.0f);
}

// mu 1 -> 1 + 0.5 (KL - 0.1) -> ..., and never below 0.
TEST(ProKt, TheMultiplierFollowsTheConstraint) {
  const double hard = 1.9553092, back = 0.1484560;
  std::map<std::string, OptionValue> options{
      {"zero_classifier", false}, {"dual", true}, {"lambda_epsilon", 0.1}, {"lambda_lr", 0.5}};
  Pair above(options, student_logits(), teacher_logits(), classes());
  EXPECT_NEAR(above.teacher_loss().total.item<double>(), hard + (back - 0.1), 1e-6);
  const double next = 1.0 + 0.5 * (back - 0.1);
  EXPECT_NEAR(above.teacher_loss().total.item<double>(), hard + next * (back - 0.1), 1e-6);
  options["lambda_epsilon"] = 5.0;
  Pair below(options, student_logits(), teacher_logits(), classes());
  below.teacher_loss();
  EXPECT_NEAR(below.teacher_loss().total.item<double>(), hard, 1e-6);
  EXPECT_TRUE(below.method->needs_whole_batch());
}

TEST(ProKt, ScoresTakeSquaredErrors) {
  const at::Tensor own = at::tensor({1.0f, 3.0f}).reshape({2, 1});
  const at::Tensor others = at::tensor({2.0f, 2.0f}).reshape({2, 1});
  Pair pair({{"zero_classifier", false}, {"move_back_weight", 0.25}}, own, others,
            at::tensor({4.0f, 2.0f}));
  const Loss teacher = pair.teacher_loss();
  expect_term(teacher, 0, "mse", 2.0);
  expect_term(teacher, 1, "output_mse", 1.0);
  EXPECT_NEAR(teacher.total.item<double>(), 1.75, 1e-6);
  EXPECT_NEAR(pair.student_loss().total.item<double>(), 1.0, 1e-6);
}

// Sums over rows, tokens and layers, one at a time.
struct PlainTerms {
  double embeddings = 0, hidden = 0, attention = 0;
};

double state_error(const at::Tensor& own, const at::Tensor& other) {
  return (own - other).pow(2).mean().item<double>();
}

PlainTerms plain_alignment(const Outputs& own, const Outputs& other, const at::Tensor& projection,
                           const Batch& batch) {
  PlainTerms terms;
  const at::Tensor offsets = batch.ragged_field(field::kTokens).offsets;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const int64_t begin = offsets[row].item<int64_t>(), end = offsets[row + 1].item<int64_t>();
    const auto error = [&](size_t mine, size_t others) {
      return state_error(own.hidden[mine].slice(0, begin, end).matmul(projection.t()),
                         other.hidden[others].slice(0, begin, end));
    };
    const auto heads = [&](const at::Tensor& all) {
      return all[row].slice(1, 0, end - begin).slice(2, 0, end - begin);
    };
    terms.embeddings += error(0, 0);
    terms.hidden += error(1, 1) + error(2, 3);
    terms.attention += state_error(heads(own.attention[0]), heads(other.attention[0])) +
                       state_error(heads(own.attention[1]), heads(other.attention[2]));
  }
  const double rows = static_cast<double>(batch.global_rows);
  return {terms.embeddings / rows, terms.hidden / rows, terms.attention / rows};
}

TEST(HiddenAlignment, EqualsPlainSums) {
  const auto student = testing::tiny_bert(1, 2), teacher = testing::tiny_bert(2, 4);
  const auto data = make_dataset(testing::tiny_features("train", 7), {"0", "1"});
  const Batch batch = data->batch({1, 4, 6}, 5);  // a share of 3 rows of 5
  const at::Tensor projection = at::linspace(-0.5, 0.5, 256).reshape({16, 16});
  const AlignmentParts parts;
  ForwardMode own_mode, other_mode;
  request_states(parts, 2, 4, own_mode, other_mode);
  const Outputs own = student->forward(batch, own_mode),
                other = teacher->forward(batch, other_mode);
  const auto terms = hidden_alignment(own, other, projection, batch, parts);
  const PlainTerms plain = plain_alignment(own, other, projection, batch);
  ASSERT_EQ(terms.size(), 3U);
  EXPECT_EQ(terms[0].first, "align_embeddings");
  EXPECT_NEAR(terms[0].second.item<double>(), plain.embeddings, 1e-5 * plain.embeddings);
  EXPECT_EQ(terms[1].first, "align_hidden");
  EXPECT_NEAR(terms[1].second.item<double>(), plain.hidden, 1e-5 * plain.hidden);
  EXPECT_EQ(terms[2].first, "align_attention");
  EXPECT_NEAR(terms[2].second.item<double>(), plain.attention, 1e-5 * plain.attention);
}

TEST(HiddenAlignment, AShareWithoutRowsAddsNothing) {
  const auto student = testing::tiny_bert(1, 2), teacher = testing::tiny_bert(2, 4);
  const auto data = make_dataset(testing::tiny_features("train", 7), {"0", "1"});
  const Batch batch = data->batch({}, 5);
  ForwardMode own, other;
  request_states({}, 2, 4, own, other);
  const at::Tensor projection = at::eye(16);
  for (const auto& [name, value] : hidden_alignment(
           student->forward(batch, own), teacher->forward(batch, other), projection, batch, {})) {
    EXPECT_EQ(value.item<double>(), 0.0) << name;
  }
}

TEST(HiddenAlignment, ModelsThatDoNotFitAreRefused) {
  const MethodEntry& entry = find_method("prokt");
  std::map<std::string, OptionValue> values{};
  for (const auto& spec : entry.options) values[spec.name] = spec.fallback;
  values["hidden_alignment"] = true;
  const auto method = entry.make(Options(values));
  ModelShapes shapes;
  shapes.student.architecture = "bert";
  shapes.student.layers = 4;
  shapes.student.heads = 2;
  shapes.teacher = shapes.student;
  EXPECT_NO_THROW(method->validate(shapes));
  shapes.teacher->layers = 3;
  EXPECT_THROW(method->validate(shapes), Error);
  shapes.teacher->layers = 4;
  shapes.teacher->heads = 4;
  EXPECT_THROW(method->validate(shapes), Error);
  shapes.teacher->heads = 2;
  shapes.student = find_architecture("bilstm").defaults;
  EXPECT_THROW(method->validate(shapes), Error);
}

TEST(ProKt, OnlyABilstmReadsThePairsApart) {
  std::map<std::string, OptionValue> values{};
  for (const auto& spec : find_method("prokt").options) values[spec.name] = spec.fallback;
  values["sep_pair"] = true;
  const auto method = find_method("prokt").make(Options(values));
  ModelShapes shapes;
  shapes.student = find_architecture("bert").defaults;
  EXPECT_THROW(method->validate(shapes), Error);
  shapes.student = find_architecture("bilstm").defaults;
  EXPECT_NO_THROW(method->validate(shapes));
}

}  // namespace
}  // namespace kdbench::prokt_test
