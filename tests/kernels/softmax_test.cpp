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

TEST_CASE("log-softmax and its gradient equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  Random random(7);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const double temperature : {1.0, 0.4})
      for (const Shape& shape : shapes) {
        if (!on_cpu() && shape[0] > 1000) continue;  // large for the sake of the CPU's pieces
        INFO(to_string(shape));
        Tensor x = random_tensor(shape, dtype, random, -8, 8);
        Tensor dy = random_tensor(shape, dtype, random);
        Tensor y(shape, dtype), dx(shape, dtype);
        run_on(queue, Softmax{x, y, temperature, true});
        run_on(queue, SoftmaxBackward{y, dy, dx, temperature, true});
        const auto k = static_cast<std::size_t>(shape.back());
        Doubles cooled = doubles(x);
        for (double& value : cooled) value /= temperature;
        const Doubles p = softmax(cooled, k), upstream = doubles(dy);
        Doubles logs(p.size()), gradient(p.size());
        for (std::size_t row = 0; row < p.size(); row += k) {
          double sum = 0;
          for (std::size_t i = row; i < row + k; ++i) sum += upstream[i];
          for (std::size_t i = row; i < row + k; ++i) {
            logs[i] = std::log(p[i]);
            gradient[i] = (upstream[i] - p[i] * sum) / temperature;
          }
        }
        CHECK(distance(y, logs) < tolerance(dtype));
        // exp(y) has the rounding of y, which reaches -40 in f32.
        CHECK(distance(dx, gradient) < 10 * tolerance(dtype));
        run_on(queue, Softmax{x, x, temperature, true});
        CHECK(same_bits(x, y));
        run_on(queue, SoftmaxBackward{y, dy, dy, temperature, true});
        CHECK(same_bits(dy, dx));
      }
}

TEST_CASE("log-softmax keeps what the softmax rounds to 0, and does not overflow", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x = tensor_of({3, 2}, DType::f32, {1e4, -1e4, 3e38, 3e38, 0, -60});
  run_on(queue, Softmax{.x = x, .y = x, .log = true});
  CHECK(distance(x, {0, -2e4, -std::log(2), -std::log(2), -std::exp(-60.0), -60}) < 1e-7);
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

TEST_CASE("softmax refuses arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4, 2}, DType::f32), other({4, 3}, DType::f32), wide({4, 2}, DType::f64);
  Tensor scalar({}, DType::f32);
  CHECK(refused(queue, Softmax{x, other}));
  CHECK(refused(queue, Softmax{x, wide}));
  CHECK(refused(queue, Softmax{scalar, scalar}));
  CHECK(refused(queue, Softmax{x, x, 0}));
  CHECK(refused(queue, SoftmaxBackward{x, x, other}));
  CHECK(refused(queue, SoftmaxBackward{x, x, x, std::nan("")}));
}
