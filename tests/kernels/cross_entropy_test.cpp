#include "../../kernels/cross_entropy.h"

#include "loss_case.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// The definition, term by term.
double cross_entropy(const Doubles& logits, const Doubles& labels, const Doubles& weights,
                     double smoothing) {
  const std::size_t k = weights.size();
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= static_cast<double>(k)) continue;
    const double* x = &logits[i * k];
    const double top = *std::max_element(x, x + k);
    double exponents = 0;
    for (std::size_t j = 0; j < k; ++j) exponents += std::exp(x[j] - top);
    const auto loss = [&](std::size_t j) {
      return weights[j] * (std::log(exponents) - (x[j] - top));
    };
    const auto label = static_cast<std::size_t>(labels[i]);
    sum += (1 - smoothing) * loss(label);
    for (std::size_t j = 0; j < k; ++j) sum += smoothing / static_cast<double>(k) * loss(j);
    total += weights[label];
  }
  return total != 0 ? sum / total : 0;
}

}  // namespace

TEST_CASE("cross-entropy equals the definition and finite differences", "[device]") {
  Random random(3);
  int round = 0;
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape :
         {Shape{1, 1}, Shape{2, 1}, Shape{1, 2}, Shape{7, 3}, Shape{32, 2}, Shape{101, 10},
          Shape{2, 3, 5, 4}, Shape{1, 2, 3, 1, 3}, Shape{2, 43, 53, 3}}) {
      INFO(to_string(shape));
      ++round;
      const std::int64_t k = shape.back();
      const bool weighted = round % 2 == 0;
      const double smoothing = round % 3 == 0 ? 0.1 : round % 3 == 1 ? 0 : 1;
      const Shape rows(shape.sizes().first(static_cast<std::size_t>(shape.rank() - 1)));
      const Tensor logits = random_tensor(shape, dtype, random, -4, 4);
      // Some labels lie outside 0..k-1 and carry no weight.
      const bool bytes = round % 4 < 2;
      const Tensor labels = random_tensor(rows, bytes ? DType::u8 : DType::i32, random,
                                          bytes ? 0 : -1, static_cast<double>(k) + 1);
      const Tensor weights = random_tensor({k}, dtype, random, 0.1, 3);
      const Doubles w = weighted ? doubles(weights) : Doubles(static_cast<std::size_t>(k), 1.0);
      SoftmaxCrossEntropy op{.logits = logits, .labels = labels, .loss = {}};
      if (weighted) op.class_weights = weights;
      op.label_smoothing = smoothing;
      check_loss_case(op, &SoftmaxCrossEntropy::dlogits, logits, [&](const Doubles& x) {
        return cross_entropy(x, doubles(labels), w, smoothing);
      });
      Tensor loss({1}, dtype), dlogits(shape, dtype), same_loss({1}, dtype);
      op.loss = loss;
      op.dlogits = dlogits;
      run_on(test_queue(1), op);
      Tensor in_place = logits.clone();
      op.logits = in_place;
      op.dlogits = in_place;
      op.loss = same_loss;
      run_on(test_queue(1), op);
      CHECK(same_bits(in_place, dlogits));
      CHECK(same_bits(same_loss, loss));
    }
}

// python: F.cross_entropy(torch.tensor([[1., 2, 3], [0, -1, 0.5]]), torch.tensor([2, 0]),
//                         torch.tensor([1., 2, 4]), label_smoothing=0.1) and its gradient
TEST_CASE("cross-entropy equals PyTorch's", "[device][small]") {
  const Tensor logits = tensor_of({2, 3}, DType::f64, {1, 2, 3, 0, -1, 0.5});
  const Tensor labels = tensor_of({2}, DType::u8, {2, 0});
  const Tensor weights = tensor_of({3}, DType::f64, {1, 2, 4});
  Tensor loss({1}, DType::f64), dlogits({2, 3}, DType::f64);
  run_on(test_queue(1), SoftmaxCrossEntropy{.logits = logits,
                                            .labels = labels,
                                            .class_weights = weights,
                                            .loss = loss,
                                            .dlogits = dlogits,
                                            .label_smoothing = 0.1});
  CHECK(distance(loss, {0.5894341766170168}) < 1e-13);
  CHECK(distance(dlogits, {0.06235677276395832, 0.1742918278086782, -0.2366486005726366,
                           -0.1115269023038726, 0.01430904119020521, 0.09721786111366738}) < 1e-13);
}

TEST_CASE("cross-entropy of a batch without weight is zero", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  const double smoothing = GENERATE(0.0, 0.3);
  const Tensor logits = tensor_of({3, 2}, DType::f32, {std::nan(""), 1, 2, 3, 4, 5});
  const Tensor labels = tensor_of({3}, DType::i32, {255, -1, 2});
  Tensor loss = tensor_of({1}, DType::f32, {5}), dlogits = logits.clone();
  SoftmaxCrossEntropy op{.logits = logits, .labels = labels, .loss = loss, .dlogits = dlogits};
  op.label_smoothing = smoothing;
  run_on(queue, op);
  CHECK(doubles(loss) == Doubles{0});
  CHECK(doubles(dlogits) == Doubles(6, 0.0));
}

TEST_CASE("the cross-entropy of many pixels does not depend on the number of threads") {
  Random random(5);
  const std::int64_t n = 100003;
  const Tensor logits = random_tensor({n, 3}, DType::f32, random);
  const Tensor labels = random_tensor({n}, DType::i32, random, 0, 3);
  Tensor loss1({1}, DType::f32), loss4({1}, DType::f32);
  Tensor d1({n, 3}, DType::f32), d4({n, 3}, DType::f32);
  run_on(test_queue(1), SoftmaxCrossEntropy{logits, labels, {}, loss1, d1});
  run_on(test_queue(4), SoftmaxCrossEntropy{logits, labels, {}, loss4, d4});
  CHECK(same_bits(loss1, loss4));
  CHECK(same_bits(d1, d4));
  CHECK(distance(loss1, {cross_entropy(doubles(logits), doubles(labels), {1, 1, 1}, 0)}) < 1e-6);
}

TEST_CASE("cross-entropy refuses arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4, 2}, DType::f32), flat({8}, DType::f32), dx({4, 2}, DType::f32);
  Tensor labels({4}, DType::i32), loss({1}, DType::f32), wide_labels({4}, DType::i64);
  Tensor short_labels({3}, DType::i32), weights({3}, DType::f32), wide({2}, DType::f64);
  const SoftmaxCrossEntropy good{.logits = x, .labels = labels, .loss = loss, .dlogits = dx};
  check_loss_refusals(good, &SoftmaxCrossEntropy::dlogits);
  const auto refuses = [&](auto&& change) {
    SoftmaxCrossEntropy bad = good;
    change(bad);
    return refused(queue, bad);
  };
  CHECK(refuses([&](auto& bad) { bad.logits = flat; }));
  CHECK(refuses([&](auto& bad) { bad.labels = wide_labels; }));
  CHECK(refuses([&](auto& bad) { bad.labels = short_labels; }));
  CHECK(refuses([&](auto& bad) { bad.labels = {}; }));
  CHECK(refuses([&](auto& bad) { bad.class_weights = weights; }));
  CHECK(refuses([&](auto& bad) { bad.class_weights = wide; }));
  CHECK(refuses([&](auto& bad) { bad.label_smoothing = 1.5; }));
  CHECK(refuses([&](auto& bad) { bad.label_smoothing = std::nan(""); }));
  CHECK(refuses([&](auto& bad) {
    bad.dlogits = x;
    bad.accumulate = true;
  }));
}
