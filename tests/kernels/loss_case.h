// Holds a loss to what kernels/loss.h promises of all of them.
#pragma once

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"

namespace ratnet::testing {

// The largest |got - expected| over the largest |expected|.
inline double relative_distance(const Doubles& got, const Doubles& expected) {
  double error = 0, size = 1e-30;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!std::isfinite(got[i])) return std::numeric_limits<double>::infinity();
    error = std::max(error, std::abs(got[i] - expected[i]));
    size = std::max(size, std::abs(expected[i]));
  }
  return error / size;
}

// op: all but its results. gradient: where the one in `prediction` goes. value: the loss of the
// prediction's numbers, in double. Finite differences are taken at up to 30 elements.
template <class Op>
void check_loss_case(Op op, View Op::*gradient, const Tensor& prediction,
                     const std::function<double(const Doubles&)>& value) {
  const QueueHandle queue = test_queue(1);
  const DType dtype = prediction.dtype();
  const Shape& shape = prediction.shape();
  const Doubles x = doubles(prediction);
  Tensor loss({1}, dtype), slope(shape, dtype);
  op.loss = loss;
  op.*gradient = slope;
  run_on(queue, op);
  CHECK(distance(loss, {value(x)}) < tolerance(dtype));

  const Doubles found = doubles(slope);
  Doubles got, numeric;
  const std::size_t step = std::max<std::size_t>(1, x.size() / 29);
  for (std::size_t i = 0; i < x.size(); i += step) {
    got.push_back(found[i]);
    numeric.push_back(numeric_gradient({x[i]}, [&](const Doubles& one) {
      Doubles moved = x;
      moved[i] = one[0];
      return value(moved);
    })[0]);
  }
  CHECK(relative_distance(got, numeric) < 3e-6);

  // Without a gradient, and by other threads.
  for (const bool wanted : {false, true}) {
    Tensor again({1}, dtype), same(shape, dtype);
    Op other = op;
    other.loss = again;
    other.*gradient = wanted ? View(same) : View();
    run_on(test_queue(3), other);
    CHECK(same_bits(again, loss));
    if (wanted) CHECK(same_bits(same, slope));
  }

  // In a sum of losses.
  Random random(99);
  const Tensor before = random_tensor(shape, dtype, random);
  Tensor after = before.clone(), sum = tensor_of({1}, DType::f64, {100}), part({1}, dtype);
  Op weighted = op;
  weighted.loss = part;
  weighted.*gradient = after;
  weighted.loss_sum = sum;
  weighted.factor = -2.5;
  weighted.accumulate = true;
  for (int i = 0; i < 2; ++i) run_on(queue, weighted);
  CHECK(same_bits(part, loss));
  CHECK(distance(sum, {100 - 5 * doubles(loss)[0]}) < 1e-15);
  Doubles expected = doubles(before);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] -= 5 * found[i];
  CHECK(distance(after, expected) < tolerance(dtype));
  weighted.accumulate = false;
  run_on(queue, weighted);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = -2.5 * found[i];
  CHECK(relative_distance(doubles(after), expected) < tolerance(dtype));
}

// That a loss of more than two pieces of work is the same bits on any number of threads. op: all
// but its results.
template <class Op>
void check_loss_threads(Op op, View Op::*gradient, const Tensor& prediction) {
  Tensor loss({1}, prediction.dtype()), slope(prediction.shape(), prediction.dtype());
  const auto on_threads = [&](int threads, Tensor& value, Tensor& of_prediction) {
    op.loss = value;
    op.*gradient = of_prediction;
    run_on(test_queue(threads), op);
  };
  on_threads(1, loss, slope);
  CHECK(doubles(loss)[0] > 0);
  for (const int threads : {2, 3}) {
    Tensor again({1}, loss.dtype()), same(slope.shape(), slope.dtype());
    on_threads(threads, again, same);
    CHECK(same_bits(again, loss));
    CHECK(same_bits(same, slope));
  }
}

// That a loss refuses what kernels/loss.h rules out. op: one that is accepted, f32.
template <class Op>
void check_loss_refusals(const Op& op, View Op::*gradient) {
  const QueueHandle queue = test_queue(1);
  Tensor two({2}, DType::f32), wide({1}, DType::f64), narrow({1}, DType::f32);
  Tensor other(Shape{7, 1, 1, 1}, DType::f32);
  REQUIRE(!refused(queue, op));
  const auto refuses = [&](auto&& change) {
    Op bad = op;
    change(bad);
    return refused(queue, bad);
  };
  CHECK(refuses([](Op& bad) { bad.loss = {}; }));
  CHECK(refuses([&](Op& bad) { bad.loss = two; }));
  CHECK(refuses([&](Op& bad) { bad.loss = wide; }));
  CHECK(refuses([&](Op& bad) { bad.loss_sum = narrow; }));
  CHECK(refuses([&](Op& bad) { bad.*gradient = other; }));
  CHECK(refuses([](Op& bad) { bad.factor = std::nan(""); }));
}

}  // namespace ratnet::testing
