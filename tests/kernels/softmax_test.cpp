#include "../../kernels/softmax.h"

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

Doubles softmax(const Doubles& x, std::size_t k) {
  Doubles y(x.size());
  for (std::size_t row = 0; row < x.size(); row += k) {
    double top = x[row], sum = 0;
    for (std::size_t i = 0; i < k; ++i) top = std::max(top, x[row + i]);
    for (std::size_t i = 0; i < k; ++i) sum += std::exp(x[row + i] - top);
    for (std::size_t i = 0; i < k; ++i) y[row + i] = std::exp(x[row + i] - top) / sum;
  }
  return y;
}

double cross_entropy(const Doubles& logits, std::size_t k, const std::vector<std::int32_t>& labels,
                     const Doubles& weights) {
  const Doubles p = softmax(logits, k);
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= static_cast<std::int32_t>(k)) continue;
    const auto label = static_cast<std::size_t>(labels[i]);
    sum -= weights[label] * std::log(p[i * k + label]);
    total += weights[label];
  }
  return total != 0 ? sum / total : 0;
}

const Shape shapes[] = {{1, 1},  {1, 2}, {5, 3},   {33, 2},   {2, 3, 4, 7},
                        {3, 70}, {17},   {700, 2}, {40000, 2}};

}  // namespace

TEST_CASE("softmax and its gradient equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  Random random(1);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : shapes) {
      if (!on_cpu() && shape[0] > 1000) continue;  // large for the sake of the CPU's pieces
      INFO(to_string(shape));
      Tensor x = random_tensor(shape, dtype, random, -20, 20);
      Tensor dy = random_tensor(shape, dtype, random);
      Tensor y(shape, dtype), dx(shape, dtype);
      run_on(queue, Softmax{x, y});
      run_on(queue, SoftmaxBackward{y, dy, dx});
      const auto k = static_cast<std::size_t>(shape.back());
      const Doubles p = softmax(doubles(x), k), upstream = doubles(dy);
      Doubles gradient(p.size());
      for (std::size_t row = 0; row < p.size(); row += k) {
        double sum = 0;
        for (std::size_t i = row; i < row + k; ++i) sum += p[i] * upstream[i];
        for (std::size_t i = row; i < row + k; ++i) gradient[i] = p[i] * (upstream[i] - sum);
      }
      CHECK(distance(y, p) < tolerance(dtype));
      CHECK(distance(dx, gradient) < tolerance(dtype));
      run_on(queue, Softmax{x, x});
      CHECK(same_bits(x, y));
      run_on(queue, SoftmaxBackward{y, dy, dy});
      CHECK(same_bits(dy, dx));
    }
}

TEST_CASE("softmax holds for logits that would overflow", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor x = tensor_of({2, 2}, DType::f32, {1e4, -1e4, 3e38, 3e38});
  run_on(queue, Softmax{x, x});
  CHECK(distance(x, {1, 0, 0.5, 0.5}) < 1e-7);
}

TEST_CASE("the gradient of softmax equals finite differences", "[device]") {
  const QueueHandle queue = test_queue(1);
  Random random(2);
  const Shape shape{4, 5};
  const Tensor x = random_tensor(shape, DType::f64, random, -2, 2);
  const Tensor dy = random_tensor(shape, DType::f64, random);
  Tensor y(shape, DType::f64), dx(shape, DType::f64);
  const double temperature = GENERATE(1.0, 0.4, 2.5);
  run_on(queue, Softmax{x, y, temperature});
  run_on(queue, SoftmaxBackward{y, dy, dx, temperature});
  Doubles cooled = doubles(x);
  for (double& value : cooled) value /= temperature;
  CHECK(distance(y, softmax(cooled, 5)) < 1e-13);
  const Doubles numeric = numeric_gradient(doubles(x), [&](const Doubles& at) {
    const Tensor moved = tensor_of(shape, DType::f64, at);
    Tensor out(shape, DType::f64);
    run_on(queue, Softmax{moved, out, temperature});
    return dot(doubles(out), doubles(dy));
  });
  CHECK(distance(dx, numeric) < 1e-9);
}

TEST_CASE("cross-entropy and its gradient equal the definition and finite differences",
          "[device]") {
  const QueueHandle queue = test_queue(3);
  Random random(3);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const bool weighted : {false, true})
      for (const std::int64_t n : {1, 2, 7, 32, 101})
        for (const std::int64_t k : {1, 2, 3, 10}) {
          const Tensor logits = random_tensor({n, k}, dtype, random, -4, 4);
          // Some labels lie outside 0..k-1 and carry no weight.
          const Tensor labels =
              random_tensor({n}, DType::i32, random, -1, static_cast<double>(k) + 1);
          const Tensor weights = random_tensor({k}, dtype, random, 0.1, 3);
          Tensor loss({1}, dtype), dlogits({n, k}, dtype), loss_only({1}, dtype);
          const ConstView used = weighted ? ConstView(weights) : ConstView();
          run_on(queue, SoftmaxCrossEntropy{logits, labels, used, loss, dlogits});
          run_on(queue, SoftmaxCrossEntropy{logits, labels, used, loss_only, {}});
          CHECK(same_bits(loss, loss_only));
          const auto integers = labels.values<std::int32_t>();
          const std::vector<std::int32_t> plain(integers.begin(), integers.end());
          const Doubles w = weighted ? doubles(weights) : Doubles(static_cast<std::size_t>(k), 1.0);
          const auto at = [&](const Doubles& x) {
            return cross_entropy(x, static_cast<std::size_t>(k), plain, w);
          };
          CHECK(distance(loss, {at(doubles(logits))}) < tolerance(dtype));
          CHECK(distance(dlogits, numeric_gradient(doubles(logits), at)) <
                (dtype == DType::f64 ? 1e-9 : 1e-6));
          Tensor in_place = logits.clone(), same_loss({1}, dtype);
          run_on(queue, SoftmaxCrossEntropy{in_place, labels, used, same_loss, in_place});
          CHECK(same_bits(in_place, dlogits));
          CHECK(same_bits(same_loss, loss));
          Tensor sum = tensor_of({1}, DType::f64, {100});
          for (int i = 0; i < 2; ++i)
            run_on(queue, SoftmaxCrossEntropy{logits, labels, used, loss, {}, sum});
          CHECK(doubles(sum) == Doubles{100 + doubles(loss)[0] + doubles(loss)[0]});
        }
}

TEST_CASE("cross-entropy of a batch without weight is zero", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Random random(4);
  const Tensor logits = random_tensor({3, 2}, DType::f32, random);
  const Tensor labels = tensor_of({3}, DType::i32, {255, -1, 2});
  Tensor loss = tensor_of({1}, DType::f32, {5}), dlogits = logits.clone();
  run_on(queue, SoftmaxCrossEntropy{logits, labels, {}, loss, dlogits});
  CHECK(doubles(loss) == Doubles{0});
  CHECK(doubles(dlogits) == Doubles(6, 0.0));
}

TEST_CASE("cross-entropy does not depend on the number of threads", "[device]") {
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
  const auto integers = labels.values<std::int32_t>();
  const double expected = cross_entropy(
      doubles(logits), 3, std::vector<std::int32_t>(integers.begin(), integers.end()), {1, 1, 1});
  CHECK(distance(loss1, {expected}) < 1e-6);
}

TEST_CASE("softmax and cross-entropy refuse arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4, 2}, DType::f32), other({4, 3}, DType::f32), wide({4, 2}, DType::f64);
  Tensor scalar({}, DType::f32), labels({4}, DType::i32), loss({1}, DType::f32);
  Tensor bytes({4}, DType::u8), short_labels({3}, DType::i32), weights({3}, DType::f32);
  CHECK(refused(queue, Softmax{x, other}));
  CHECK(refused(queue, Softmax{x, wide}));
  CHECK(refused(queue, Softmax{scalar, scalar}));
  CHECK(refused(queue, Softmax{x, x, 0}));
  CHECK(refused(queue, SoftmaxBackward{x, x, other}));
  CHECK(refused(queue, SoftmaxBackward{x, x, x, std::nan("")}));
  using CrossEntropy = SoftmaxCrossEntropy;
  CHECK(refused(queue, CrossEntropy{x, bytes, {}, loss, {}}));
  CHECK(refused(queue, CrossEntropy{x, short_labels, {}, loss, {}}));
  CHECK(refused(queue, CrossEntropy{x, labels, weights, loss, {}}));
  CHECK(refused(queue, CrossEntropy{x, labels, {}, {}, {}}));
  CHECK(refused(queue, CrossEntropy{x, labels, {}, loss, wide}));
  CHECK(refused(queue, CrossEntropy{x, ConstView(), {}, loss, {}}));
}
