#include "../../kernels/pointwise.h"

#include "../../kernels/activation.h"

#include "../catch.h"
#include "oracle.h"
#include "random_key.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {
const std::int64_t sizes[] = {1, 2, 3, 7, 8, 13, 31, 64, 70, 4099, 70001};
}

TEST_CASE("sums equal the definition, in place too", "[device][small]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(1);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::int64_t n : sizes) {
        Tensor a = random_tensor({n}, dtype, random), b = random_tensor({n}, dtype, random);
        std::vector<double> expected = doubles(a);
        const std::vector<double> other = doubles(b);
        for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += other[i];
        Tensor y({n}, dtype), second = b.clone();
        const Tensor first = a.clone();
        run_on(queue, Add{a, b, y});
        CHECK(distance(y, expected) < tolerance(dtype));
        run_on(queue, Add{a, second, second});
        run_on(queue, Add{a, b, a});
        CHECK(same_bits(a, y));
        CHECK(same_bits(second, y));
        for (const Activation activation : {Activation::relu, Activation::leaky_relu}) {
          Tensor separate({n}, dtype), fused({n}, dtype);
          run_on(queue, Activate{y, separate, activation, 0.3});
          run_on(queue, Add{first, b, fused, activation, 0.3});
          CHECK(same_bits(fused, separate));
        }
      }
  });
}

TEST_CASE("products equal the definition, in place too", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(8);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::int64_t n : sizes) {
        Tensor a = random_tensor({n}, dtype, random), b = random_tensor({n}, dtype, random);
        std::vector<double> expected = doubles(a), squares = doubles(a);
        const std::vector<double> other = doubles(b);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          expected[i] *= other[i];
          squares[i] *= squares[i];
        }
        Tensor y({n}, dtype), square({n}, dtype);
        run_on(queue, Multiply{a, b, y});
        CHECK(distance(y, expected) < tolerance(dtype));
        run_on(queue, Multiply{a, a, square});
        CHECK(distance(square, squares) < tolerance(dtype));
        run_on(queue, Multiply{a, b, b});
        CHECK(same_bits(b, y));
      }
  });
}

TEST_CASE("dropout keeps what its random numbers say", "[device][small]") {
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(2);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::int64_t n : sizes)
        for (const double keep : {0.25, 0.3, 0.9, 1.0}) {
          const std::uint64_t seed = 0x123456789abcdefull;
          Tensor x = random_tensor({n}, dtype, random, 1, 2);
          std::vector<double> expected = doubles(x);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            const auto block = philox({static_cast<std::uint32_t>(i / 4), 7, 3, 0}, seed);
            const bool kept = static_cast<double>(unit_float(block[i % 4])) < keep;
            expected[i] = kept ? expected[i] / keep : 0;
          }
          Tensor y({n}, dtype), again({n}, dtype);
          const Tensor key = key_of(seed, 7);
          Dropout op{x, y, key, keep, 3};
          run_on(test_queue(1), op);
          CHECK(distance(y, expected) < tolerance(dtype));
          op.y = again;
          run_on(test_queue(4), op);
          CHECK(same_bits(y, again));
          op.y = x;
          run_on(test_queue(1), op);
          CHECK(same_bits(y, x));
        }
  });
}

TEST_CASE("dropout keeps the stated share, anew in every step", "[device]") {
  const QueueHandle queue = test_queue(1);
  const std::int64_t n = 100000;
  Tensor ones = tensor_of({n}, DType::f32, std::vector<double>(n, 1.0));
  Tensor first({n}, DType::f32), second({n}, DType::f32);
  run_on(queue, Dropout{ones, first, key_of(1, 1), 0.7, 0});
  run_on(queue, Dropout{ones, second, key_of(1, 2), 0.7, 0});
  double kept = 0, both = 0;
  for (std::size_t i = 0; i < n; ++i) {
    kept += first.values<float>()[i] != 0;
    both += first.values<float>()[i] != 0 && second.values<float>()[i] != 0;
  }
  CHECK(kept / n == Approx(0.7).margin(0.006));
  CHECK(both / n == Approx(0.49).margin(0.007));
}

TEST_CASE("every pixel type converts exactly", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    Random random(3);
    for (const DType from : {DType::u8, DType::u16, DType::i16, DType::f32, DType::f64})
      for (const DType to : {DType::f32, DType::f64})
        for (const std::int64_t n : {1, 2, 3, 5, 8, 17, 31, 70, 40001}) {
          INFO(set << " " << name_of(from) << " to " << name_of(to) << ", " << n);
          const double low = from == DType::u8 || from == DType::u16 ? 0 : -32768;
          const double high = from == DType::u8 ? 256 : from == DType::i16 ? 32768 : 65536;
          Tensor x = random_tensor({n}, from, random, low, high);
          visit(x, [&](auto values) {
            using X = std::decay_t<decltype(values[0])>;
            values[0] = static_cast<X>(high - 1);
            if (n > 1) values[1] = static_cast<X>(low);
          });
          Tensor y({n}, to);
          run_on(queue, Convert{x, y, 0.5, -0.25});
          std::vector<double> expected = doubles(x);
          for (double& value : expected) value = value * 0.5 - 0.25;
          const bool rounds = from == DType::f64 || from == DType::f32;
          CHECK(distance(y, expected) <= (rounds ? 1e-6 : 0.0));
        }
  });
}

TEST_CASE("pointwise operations refuse arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4}, DType::f32), longer({5}, DType::f32), wide({4}, DType::f64);
  Tensor labels({4}, DType::i32), bytes({4}, DType::u8);
  CHECK(refused(queue, Add{x, longer, x}));
  CHECK(refused(queue, Add{x, x, wide}));
  CHECK(refused(queue, Add{labels, labels, labels}));
  CHECK(refused(queue, Add{x, {}, x}));
  CHECK(refused(queue, Multiply{x, longer, x}));
  CHECK(refused(queue, Multiply{x, x, wide}));
  CHECK(refused(queue, Multiply{labels, labels, labels}));
  CHECK(refused(queue, Multiply{x, {}, x}));
  const Tensor key = key_of(1, 1), short_key({1}, DType::i64);
  CHECK(refused(queue, Dropout{x, longer, key}));
  CHECK(refused(queue, Dropout{x, x, key, 0}));
  CHECK(refused(queue, Dropout{x, x, key, 1.5}));
  CHECK(refused(queue, Dropout{x, x, key, std::nan("")}));
  CHECK(refused(queue, Dropout{x, x, short_key}));
  CHECK(refused(queue, Dropout{x, x, {}}));
  Tensor five({5}, DType::f64);
  CHECK(refused(queue, SetNumbers{.y = five}));
  CHECK(refused(queue, SetNumbers{.y = x}));
  CHECK(refused(queue, Convert{labels, x}));
  CHECK(refused(queue, Convert{x, bytes}));
  CHECK(refused(queue, Convert{bytes, longer}));
  CHECK(refused(queue, Convert{x, x, 1, 0, longer}));
  CHECK(refused(queue, Convert{x, x, 1, 0, wide}));
  CHECK(refused(queue, Convert{bytes, x, std::nan("")}));
  CHECK_FALSE(refused(queue, Convert{bytes, x}));
}

TEST_CASE("every sample is converted with a scale of its own", "[device][small]") {
  Random random(6);
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    for (const DType stored : {DType::u8, DType::u16, DType::i16, DType::f32})
      for (const DType real : {DType::f32, DType::f64}) {
        const Tensor x = random_tensor({5, 7, 3}, stored, random, 0, 200);
        const Tensor scales = random_tensor({5}, DType::f32, random, 0.1, 3);
        Doubles expected = doubles(x);
        for (std::size_t i = 0; i < expected.size(); ++i)
          expected[i] = expected[i] * 0.5 * doubles(scales)[i / 21] - 1;
        Tensor y({5, 7, 3}, real);
        run_on(test_queue(2), Convert{x, y, 0.5, -1, scales});
        CHECK(distance(y, expected) < 2e-6);
      }
  });
}

TEST_CASE("numbers are set as they are given", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor reals({3}, DType::f64), integers({2}, DType::i64);
  run_on(queue, SetNumbers{.y = reals, .reals = {0.1, -2, 1e300, 7}});
  CHECK(doubles(reals) == std::vector<double>{0.1, -2, 1e300});
  constexpr std::int64_t kLarge = -(std::int64_t{1} << 60) - 1;
  run_on(queue, SetNumbers{.y = integers, .integers = {kLarge, 5}});
  CHECK(integers.values<std::int64_t>()[0] == kLarge);
  CHECK(integers.values<std::int64_t>()[1] == 5);
}
