#include "../../kernels/reduce.h"

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

const Shape shapes[] = {{1, 1, 1},   {2, 7, 1},   {3, 2, 1},   {5, 1, 3},    {2, 64, 1},
                        {2, 65, 1},  {7, 130, 1}, {2, 9, 2},   {2, 67, 3},   {1, 31, 5},
                        {2, 100, 8}, {3, 5, 17},  {2, 13, 64}, {2, 6, 65},   {1, 3, 300},
                        {2, 4, 513}, {0, 3, 2},   {2, 3, 0},   {1, 1030, 2}, {40, 3, 1}};

struct Reduced {
  Doubles y, argmax;
};

Reduced reduced(const Shape& shape, const Doubles& x, Reduction by) {
  Reduced out;
  for (std::int64_t o = 0; o < shape[0]; ++o)
    for (std::int64_t i = 0; i < shape[2]; ++i) {
      double sum = 0, most = -INFINITY, where = 0;
      for (std::int64_t m = 0; m < shape[1]; ++m) {
        const double value = x[static_cast<std::size_t>((o * shape[1] + m) * shape[2] + i)];
        sum += value;
        if (value > most || (std::isnan(value) && !std::isnan(most))) {
          most = value;
          where = static_cast<double>(m);
        }
      }
      const auto middle = static_cast<double>(shape[1]);
      out.y.push_back(by == Reduction::max ? most : by == Reduction::mean ? sum / middle : sum);
      out.argmax.push_back(where);
    }
  return out;
}

Doubles spread(const Shape& shape, const Doubles& dy, const Doubles& argmax, Reduction by) {
  Doubles dx;
  for (std::int64_t o = 0; o < shape[0]; ++o)
    for (std::int64_t m = 0; m < shape[1]; ++m)
      for (std::int64_t i = 0; i < shape[2]; ++i) {
        const auto from = static_cast<std::size_t>(o * shape[2] + i);
        const double part = by == Reduction::sum    ? 1
                            : by == Reduction::mean ? 1 / static_cast<double>(shape[1])
                                                    : argmax[from] == static_cast<double>(m);
        dx.push_back(dy[from] * part);
      }
  return dx;
}

}  // namespace

TEST_CASE("reductions and their gradients equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  Random random(1);
  for_each_instruction_set([&](const std::string& name) {
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Shape& shape : shapes)
        for (const Reduction by : {Reduction::sum, Reduction::mean, Reduction::max})
          // Few values, so that maxima are met more than once.
          for (const bool equals : {false, true}) {
            INFO(name << ": " << to_string(shape) << " by " << static_cast<int>(by));
            Tensor x = random_tensor(shape, dtype, random, -2, 3);
            if (equals)
              visit(x, [](auto values) {
                for (auto& value : values) value = std::floor(value);
              });
            const Shape rest{shape[0], shape[2]};
            const Tensor dy = random_tensor(rest, dtype, random);
            Tensor y = random_tensor(rest, dtype, random), dx = random_tensor(shape, dtype, random);
            Tensor argmax(rest, DType::i32), alone(rest, dtype);
            const bool wants = by == Reduction::max;
            run_on(queue, Reduce{x, y, wants ? View(argmax) : View{}, by});
            run_on(queue, Reduce{x, alone, {}, by});
            run_on(queue, ReduceBackward{dy, wants ? ConstView(argmax) : ConstView{}, dx, by});
            const Reduced expected = reduced(shape, doubles(x), by);
            CHECK(distance(y, expected.y) < tolerance(dtype));
            CHECK(same_bits(y, alone));
            if (wants) {
              CHECK(doubles(y) == expected.y);
              CHECK(doubles(argmax) == expected.argmax);
            }
            CHECK(distance(dx, spread(shape, doubles(dy), expected.argmax, by)) < tolerance(dtype));
          }
  });
}

TEST_CASE("a NaN is the maximum of what it is among", "[device]") {
  const QueueHandle queue = test_queue(1);
  for_each_instruction_set([&](const std::string& name) {
    INFO(name);
    for (const Shape& shape : {Shape{1, 70, 1}, Shape{1, 70, 19}, Shape{1, 5, 70}})
      for (std::int64_t first = 0; first < shape[1]; first += 3) {
        Doubles x(static_cast<std::size_t>(shape.count()), 1.0);
        for (std::int64_t m = first; m < shape[1]; m += 2)  // the first of several
          std::fill_n(x.begin() + m * shape[2], shape[2], std::nan(""));
        Tensor y({1, shape[2]}, DType::f32), argmax({1, shape[2]}, DType::i32);
        run_on(queue, Reduce{tensor_of(shape, DType::f32, x), y, argmax, Reduction::max});
        for (const double value : doubles(y)) CHECK(std::isnan(value));
        for (const double at : doubles(argmax)) CHECK(at == static_cast<double>(first));
      }
  });
}

TEST_CASE("sums are in double", "[device]") {
  // In float each 1 would vanish beside 2^24.
  for (const Shape& shape : {Shape{1, 1001, 1}, Shape{1, 1001, 3}, Shape{1, 1001, 65}}) {
    Doubles x(static_cast<std::size_t>(shape.count()), 1.0);
    std::fill_n(x.begin(), shape[2], 0x1p24);
    Tensor y({1, shape[2]}, DType::f32);
    run_on(test_queue(1), Reduce{tensor_of(shape, DType::f32, x), y, {}, Reduction::sum});
    for (const double sum : doubles(y)) CHECK(sum == 0x1p24 + 1000);
  }
}

TEST_CASE("reductions do not depend on the number of threads or the batch", "[device]") {
  Random random(3);
  for (const Shape& shape : {Shape{3, 700, 40}, Shape{5, 2000, 1}, Shape{900, 61, 1}}) {
    if (!on_cpu() && shape[0] > 100) continue;
    const Tensor x = random_tensor(shape, DType::f32, random);
    const Shape rest{shape[0], shape[2]};
    Tensor y(rest, DType::f32), y4(rest, DType::f32), alone({1, shape[2]}, DType::f32);
    run_on(test_queue(1), Reduce{x, y, {}, Reduction::mean});
    run_on(test_queue(4), Reduce{x, y4, {}, Reduction::mean});
    run_on(test_queue(1), Reduce{x.view().first(1), alone, {}, Reduction::mean});
    CHECK(same_bits(y, y4));
    CHECK(std::memcmp(alone.data(), y.data(), alone.bytes()) == 0);
  }
}

TEST_CASE("reductions refuse what does not fit", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({2, 3, 4}, DType::f32), y({2, 4}, DType::f32), wide({2, 4}, DType::f64);
  Tensor argmax({2, 4}, DType::i32), bytes({2, 4}, DType::u8), none({2, 0, 4}, DType::f32);
  CHECK_FALSE(refused(queue, Reduce{x, y, argmax, Reduction::max}));
  CHECK(refused(queue, Reduce{x, y, argmax, Reduction::sum}));
  CHECK(refused(queue, Reduce{x, y, bytes, Reduction::max}));
  CHECK(refused(queue, Reduce{x, wide, {}, Reduction::sum}));
  CHECK(refused(queue, Reduce{x, x, {}, Reduction::sum}));
  CHECK(refused(queue, Reduce{y, y, {}, Reduction::sum}));
  CHECK(refused(queue, Reduce{none, y, {}, Reduction::sum}));
  CHECK(refused(queue, ReduceBackward{y, {}, x, Reduction::max}));
  CHECK(refused(queue, ReduceBackward{y, argmax, x, Reduction::mean}));
  CHECK(refused(queue, ReduceBackward{x, {}, x, Reduction::sum}));
}
