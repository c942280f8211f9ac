#include "../../kernels/gaussian_sample.h"

#include <numbers>

#include "../catch.h"
#include "oracle.h"
#include "random_key.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// The normal number of element i, as the header has it.
double normal(std::size_t i, std::uint64_t seed, std::uint32_t step, std::uint32_t stream) {
  const auto block = philox({static_cast<std::uint32_t>(i / 4), step, stream, 0}, seed);
  const std::size_t pair = i % 4 / 2 * 2;
  const double u = (block[pair] + 0.5) / 4294967296.0, v = (block[pair + 1] + 0.5) / 4294967296.0;
  const double angle = 2 * std::numbers::pi * v;
  return std::sqrt(-2 * std::log(u)) * (i % 2 ? std::sin(angle) : std::cos(angle));
}

// n numbers of mean 0 and variance 1.
Doubles drawn(std::int64_t n, std::uint64_t seed, std::int64_t step, std::uint32_t stream) {
  const Tensor zeros = tensor_of({n}, DType::f32, Doubles(static_cast<std::size_t>(n), 0.0));
  Tensor y({n}, DType::f32);
  const Tensor key = key_of(seed, step);
  run_on(test_queue(1), GaussianSample{zeros, zeros, y, key, stream});
  return doubles(y);
}

double mean_product(const Doubles& a, const Doubles& b, std::size_t lag = 0) {
  double sum = 0;
  for (std::size_t i = 0; i + lag < a.size(); ++i) sum += a[i] * b[i + lag];
  return sum / static_cast<double>(a.size() - lag);
}

}  // namespace

TEST_CASE("a Gaussian sample and its gradient equal the definition", "[device]") {
  Random random(1);
  const std::uint64_t seed = 0x123456789abcdefull;
  const Tensor key = key_of(seed, 5);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : {Shape{1}, Shape{2}, Shape{3}, Shape{5, 1}, Shape{2, 3, 7}, Shape{70},
                               Shape{32771}, Shape{70001}}) {
      INFO(to_string(shape));
      Tensor mean = random_tensor(shape, dtype, random, -2, 2);
      const Tensor log_variance = random_tensor(shape, dtype, random, -3, 2);
      const Tensor dy = random_tensor(shape, dtype, random);
      Doubles expected = doubles(mean), gradient = doubles(dy);
      const Doubles logs = doubles(log_variance);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const double noise = std::exp(logs[i] / 2) * normal(i, seed, 5, 3);
        expected[i] += noise;
        gradient[i] *= noise / 2;
      }
      Tensor y(shape, dtype), again(shape, dtype);
      run_on(test_queue(1), GaussianSample{mean, log_variance, y, key, 3});
      CHECK(distance(y, expected) < tolerance(dtype));
      run_on(test_queue(4), GaussianSample{mean, log_variance, again, key, 3});
      CHECK(same_bits(again, y));
      run_on(test_queue(1), GaussianSample{mean, log_variance, mean, key, 3});
      CHECK(same_bits(mean, y));

      Tensor dmean(shape, dtype), dlog(shape, dtype), alone(shape, dtype);
      run_on(test_queue(2), GaussianSampleBackward{dy, log_variance, dmean, dlog, key, 3});
      CHECK(same_bits(dmean, dy));
      CHECK(distance(dlog, gradient) < tolerance(dtype));
      run_on(test_queue(1), GaussianSampleBackward{dy, log_variance, {}, alone, key, 3});
      CHECK(same_bits(alone, dlog));
      run_on(test_queue(1), GaussianSampleBackward{dy, log_variance, alone, {}, key, 3});
      CHECK(same_bits(alone, dy));
    }
}

// The margins are five standard deviations of each figure.
TEST_CASE("Gaussian samples are normal, and independent between steps, streams, neighbours",
          "[device]") {
  const std::int64_t n = 100000;
  const Doubles e = drawn(n, 11, 1, 0);
  const double root = std::sqrt(static_cast<double>(n));
  double sum = 0, squares = 0, cubes = 0, fourths = 0, outside = 0;
  for (const double value : e) {
    sum += value;
    squares += value * value;
    cubes += value * value * value;
    fourths += value * value * value * value;
    outside += std::abs(value) > 1.959964;
  }
  CHECK(sum / n == Approx(0).margin(5 / root));
  CHECK(squares / n == Approx(1).margin(5 * std::sqrt(2.0) / root));
  CHECK(cubes / n == Approx(0).margin(5 * std::sqrt(15.0) / root));
  CHECK(fourths / n == Approx(3).margin(5 * std::sqrt(96.0) / root));
  CHECK(outside / n == Approx(0.05).margin(5 * std::sqrt(0.05 * 0.95) / root));
  for (const Doubles& other : {drawn(n, 11, 2, 0), drawn(n, 11, 1, 1), drawn(n, 12, 1, 0)}) {
    CHECK(mean_product(e, other) == Approx(0).margin(5 / root));
    Doubles a(e), b(other);
    for (double& value : a) value = value * value - 1;
    for (double& value : b) value = value * value - 1;
    CHECK(mean_product(a, b) == Approx(0).margin(5 * 2 / root));
  }
  for (const std::size_t lag : {1u, 2u, 3u, 4u})
    CHECK(mean_product(e, e, lag) == Approx(0).margin(5 / root));
}

TEST_CASE("extreme log variances give the mean, infinities and NaN, nothing worse", "[device]") {
  const double inf = std::numeric_limits<double>::infinity();
  const Tensor key = key_of(1, 1);
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor mean = tensor_of({6}, dtype, {1, 2, 3, 4, 5, 6});
    const Tensor log_variance =
        tensor_of({6}, dtype, {-inf, -1e30, -3000, 3000, inf, std::nan("")});
    Tensor y({6}, dtype), dmean({6}, dtype), dlog({6}, dtype);
    run_on(test_queue(1), GaussianSample{mean, log_variance, y, key, 0});
    run_on(test_queue(1), GaussianSampleBackward{mean, log_variance, dmean, dlog, key, 0});
    for (std::size_t i = 0; i < 6; ++i) {
      CHECK(doubles(dmean)[i] == doubles(mean)[i]);
      if (i < 3) {
        CHECK(doubles(y)[i] == doubles(mean)[i]);
        CHECK(doubles(dlog)[i] == 0);
      } else if (i < 5) {
        const double limit = normal(i, 1, 1, 0) > 0 ? inf : -inf;
        CHECK(doubles(y)[i] == limit);
        CHECK(doubles(dlog)[i] == limit);
      } else {
        CHECK(std::isnan(doubles(y)[i]));
        CHECK(std::isnan(doubles(dlog)[i]));
      }
    }
  }
}

TEST_CASE("Gaussian samples refuse arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4}, DType::f32), longer({5}, DType::f32), wide({4}, DType::f64), bytes({4}, DType::u8);
  const Tensor key = key_of(1, 1), short_key({1}, DType::i64), reals({2}, DType::f64);
  CHECK(refused(queue, GaussianSample{x, longer, x, key}));
  CHECK(refused(queue, GaussianSample{x, wide, x, key}));
  CHECK(refused(queue, GaussianSample{x, x, longer, key}));
  CHECK(refused(queue, GaussianSample{bytes, bytes, bytes, key}));
  CHECK(refused(queue, GaussianSample{x, {}, x, key}));
  CHECK(refused(queue, GaussianSample{x, x, x, short_key}));
  CHECK(refused(queue, GaussianSample{x, x, x, reals}));
  CHECK(refused(queue, GaussianSample{x, x, x, {}}));
  CHECK(refused(queue, GaussianSampleBackward{x, x, {}, {}, key}));
  CHECK(refused(queue, GaussianSampleBackward{x, longer, x, {}, key}));
  CHECK(refused(queue, GaussianSampleBackward{x, x, longer, {}, key}));
  CHECK(refused(queue, GaussianSampleBackward{x, x, {}, wide, key}));
  CHECK(refused(queue, GaussianSampleBackward{x, x, x, {}, {}}));
  CHECK_FALSE(refused(queue, GaussianSample{x, x, x, key}));
}
