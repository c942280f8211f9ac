// Dense layers against sums written out in double.
#include "../../kernels/dense.h"

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("dense layers and their gradients are the sums they stand for", "[device]") {
  const QueueHandle queues[] = {test_queue(1), test_queue(4)};
  for_each_instruction_set([&](const std::string& name) {
    Random random(21);
    for (int i = 0; i < 40; ++i) {
      // Several blocks of samples, of equal and unequal size, some of the time.
      const std::int64_t n = 1 + random.integer(random.chance(0.25) ? 300 : 40);
      const std::int64_t in = 1 + random.integer(random.chance(0.1) ? 1200 : 70);
      const std::int64_t out = 1 + random.integer(70);
      const DType dtype = i % 4 == 3 ? DType::f64 : DType::f32;
      const double tolerance_of_sums = dtype == DType::f64 ? 1e-11 : 2e-4;
      Tensor x = random_tensor({n, in}, dtype, random);
      Tensor weight = random_tensor({in, out}, dtype, random);
      Tensor bias = random_tensor({out}, dtype, random);
      Tensor dy = random_tensor({n, out}, dtype, random);
      INFO(name << ": " << n << " x " << in << " x " << out);

      const auto N = static_cast<std::size_t>(n), I = static_cast<std::size_t>(in),
                 O = static_cast<std::size_t>(out);
      const Doubles xs = doubles(x), ws = doubles(weight), bs = doubles(bias), ds = doubles(dy);
      Doubles y(N * O), dx(N * I), dw(I * O), db(O);
      for (std::size_t s = 0; s < N; ++s)
        for (std::size_t o = 0; o < O; ++o) {
          double sum = bs[o];
          db[o] += ds[s * O + o];
          for (std::size_t k = 0; k < I; ++k) {
            sum += xs[s * I + k] * ws[k * O + o];
            dx[s * I + k] += ds[s * O + o] * ws[k * O + o];
            dw[k * O + o] += xs[s * I + k] * ds[s * O + o];
          }
          y[s * O + o] = std::max(sum, 0.0);
        }

      Tensor results[2][4];
      for (int q = 0; q < 2; ++q) {
        Tensor* r = results[q];
        r[0] = Tensor({n, out}, dtype);
        r[1] = Tensor({n, in}, dtype);
        r[2] = Tensor({in, out}, dtype);
        r[3] = Tensor({out}, dtype);
        run_on(
            queues[q],
            Dense{
                .x = x, .weight = weight, .bias = bias, .y = r[0], .activation = Activation::relu});
        run_on(queues[q], DenseBackwardData{.dy = dy, .weight = weight, .dx = r[1]});
        run_on(queues[q], DenseBackwardWeights{.x = x, .dy = dy, .dweight = r[2], .dbias = r[3]});
      }
      CHECK(distance(results[0][0], y) < tolerance_of_sums);
      CHECK(distance(results[0][1], dx) < tolerance_of_sums);
      CHECK(distance(results[0][2], dw) < tolerance_of_sums);
      CHECK(distance(results[0][3], db) < tolerance_of_sums);
      for (int k = 0; k < 4; ++k) CHECK(same_bits(results[0][k], results[1][k]));

      Tensor alone({1, out}, dtype);
      run_on(queues[0], Dense{.x = x.view().first(1),
                              .weight = weight,
                              .bias = bias,
                              .y = alone,
                              .activation = Activation::relu});
      CHECK(std::memcmp(alone.data(), results[0][0].data(), alone.bytes()) == 0);
    }
  });
}

TEST_CASE("dense layers refuse arguments that do not fit together", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({2, 5}, DType::f32), weight({5, 3}, DType::f32), y({2, 3}, DType::f32);
  Tensor wrong({4, 3}, DType::f32), real({2, 5}, DType::f64);
  CHECK_THROWS_AS(run_on(queue, Dense{.x = x, .weight = wrong, .y = y}), Error);
  CHECK_THROWS_AS(run_on(queue, Dense{.x = real, .weight = weight, .y = y}), Error);
  CHECK_THROWS_AS(run_on(queue, Dense{.x = x, .weight = weight}), Error);
}
