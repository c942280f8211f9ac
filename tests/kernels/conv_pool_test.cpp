// Activation and pooling in the convolution before them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "../../kernels/conv.h"
#include "../catch.h"
#include "conv_case.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("a convolution with activation and pooling equals the three one after the other",
          "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& name) {
    Random random(12);
    for (int i = 0; i < 120; ++i) {
      const Case c = random_case(random);
      Window pool;
      pool.rank = c.window.rank;
      for (int d = 0; d < pool.rank; ++d)
        pool.kernel[static_cast<std::size_t>(d)] = pool.stride[static_cast<std::size_t>(d)] =
            1 + random.integer(std::min<std::int64_t>(3, c.y[d + 1]));
      const auto activation = static_cast<Activation>(random.integer(3));
      const DType dtype = i % 4 == 3 ? DType::f64 : DType::f32;
      Tensors t = random_tensors(c, dtype, random);
      INFO(name << ", case " << i << ": x " << to_string(c.x) << ", weight "
                << to_string(c.weight));

      const Oracle o = oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy));
      Shape pixels = c.y;
      const Shape pooled = pool.output(c.y, c.out, "test");
      Doubles expected(static_cast<std::size_t>(pooled.count()), -1e300);
      for_each_tap(pixels, pool, [&](std::size_t to, std::int64_t from, std::int64_t) {
        expected[to] =
            std::max(expected[to], activated(o.y[static_cast<std::size_t>(from)], activation));
      });

      Tensor y(pooled, dtype), without(pooled, dtype), argmax(pooled, DType::u8);
      Conv op = conv_of(c, t, y);
      op.argmax = argmax;
      op.activation = activation;
      op.slope = 0.1;
      op.pool = pool;
      run_on(queue, op);
      CHECK(distance(y, expected) < tolerance_of_sums(dtype));
      op.y = without;
      op.argmax = {};
      run_on(queue, op);
      CHECK(same_bits(y, without));

      // The tap that argmax names holds the maximum.
      Doubles at_argmax(expected.size(), 1e300);
      const auto taps = argmax.values<std::uint8_t>();
      for_each_tap(pixels, pool, [&](std::size_t to, std::int64_t from, std::int64_t tap) {
        if (taps[to] != tap) return;
        at_argmax[to] = activated(o.y[static_cast<std::size_t>(from)], activation);
      });
      CHECK(distance(y, at_argmax) < tolerance_of_sums(dtype));
    }
  });
}

TEST_CASE("a NaN under the pooling of a convolution comes out, ReLU of -infinity is 0",
          "[device][small]") {
  const QueueHandle queue = test_queue(1);
  for_each_instruction_set([&](const std::string& name) {
    INFO(name);
    for (const DType dtype : {DType::f32, DType::f64})
      for (std::size_t i = 0; i < 4; ++i) {
        Doubles values(4, 1.0);
        values[i] = std::nan("");
        const Tensor x = tensor_of({1, 2, 2, 1}, dtype, values);
        const Tensor weight = tensor_of({1, 1, 1, 1}, dtype, {1.0});
        Tensor y({1, 1, 1, 1}, dtype), argmax({1, 1, 1, 1}, DType::u8);
        Conv op{.x = x,
                .weight = weight,
                .y = y,
                .argmax = argmax,
                .window = {.rank = 2},
                .activation = Activation::relu,
                .pool = {.rank = 2, .kernel = {2, 2, 1}, .stride = {2, 2, 1}}};
        run_on(queue, op);
        CHECK(std::isnan(doubles(y)[0]));
        CHECK(doubles(argmax)[0] == static_cast<double>(i));
        op.argmax = {};
        run_on(queue, op);
        CHECK(std::isnan(doubles(y)[0]));
      }
    const Tensor x =
        tensor_of({1, 1, 1, 1}, DType::f32, {-std::numeric_limits<double>::infinity()});
    const Tensor weight = tensor_of({1, 1, 1, 1}, DType::f32, {1.0});
    Tensor y({1, 1, 1, 1}, DType::f32);
    run_on(queue, Conv{.x = x,
                       .weight = weight,
                       .y = y,
                       .window = {.rank = 2},
                       .activation = Activation::relu});
    CHECK(doubles(y)[0] == 0.0);
  });
}

TEST_CASE("one channel's 3x3 taps, activated and pooled, are its sums activated and pooled") {
  const QueueHandle queue = test_queue(1);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  enum Place { kImage, kWeight, kBias };
  struct Strange {
    std::vector<float> numbers;
    Place place = kImage;
  };
  for_each_instruction_set([&](const std::string& name) {
    Random random(5);
    const Window window{.rank = 2, .kernel = {3, 3, 1}, .pad_before = {1, 1}, .pad_after = {1, 1}};
    // Widths below, of and beyond what is computed at once; an odd number of windows; channels that
    // fill vectors, or do not.
    for (const auto& [width, channels, slope] : {std::tuple{40, 32, 0.0},
                                                 {40, 37, 0.0},
                                                 {12, 32, 0.0},
                                                 {14, 32, 0.1},
                                                 {64, 40, 0.1},
                                                 {66, 24, 0.0},
                                                 {151, 32, 0.0},
                                                 // Several bands of rows.
                                                 {650, 32, 0.0},
                                                 {151, 64, 0.1}})
      for (const Strange& strange : {Strange{{}},
                                     {{1e4f}},
                                     {{kNan}},
                                     {{kInfinity}},
                                     {{-kInfinity, kInfinity}},
                                     {{3e38f, -3e38f}},
                                     {{kNan}, kWeight},
                                     {{-kInfinity}, kWeight},
                                     {{kNan}, kBias}}) {
        const std::int64_t columns = width / 2;
        Tensor x = random_tensor({2, 38, width, 1}, DType::f32, random);
        Tensor weight = random_tensor({3, 3, 1, channels}, DType::f32, random);
        Tensor bias = random_tensor({channels}, DType::f32, random);
        Tensor& place = strange.place == kImage ? x : strange.place == kWeight ? weight : bias;
        for (std::size_t i = 0; i < strange.numbers.size(); ++i)
          place.values<float>()[strange.place == kImage
                                    ? static_cast<std::size_t>(width) * 11 + 7 + 2 * i
                                    : i] = strange.numbers[i];
        Tensor sums({2, 38, width, channels}, DType::f32),
            y({2, 19, columns, channels}, DType::f32);
        Tensor beside(y.shape(), DType::f32), argmax(y.shape(), DType::u8);
        Conv op{.x = x, .weight = weight, .bias = bias, .y = sums, .window = window};
        run_on(queue, op);
        op.activation = slope == 0 ? Activation::relu : Activation::leaky_relu;
        op.slope = slope;
        op.pool = {.rank = 2, .kernel = {2, 2, 1}, .stride = {2, 2, 1}};
        op.y = y;
        run_on(queue, op);
        op.y = beside;
        op.argmax = argmax;
        run_on(queue, op);
        const Doubles all = doubles(sums), got = doubles(y);
        const auto taken = argmax.values<std::uint8_t>();
        // Along lines, where nothing near is strange, sums round otherwise, and by the largest
        // number of a tile; else they are the same bits, as far as the slope does not round.
        const bool large = !strange.numbers.empty() && strange.numbers[0] == 1e4f;
        const double error = !name.starts_with("AVX3") ? 0 : large ? 0.1 : 1e-5;
        const auto is = [&](double value, double expected) {
          if (std::isnan(expected)) return std::isnan(value);
          return value == expected ||
                 std::abs(value - expected) <= error + (slope == 0 ? 0 : 1e-6) * std::abs(expected);
        };
        std::size_t wrong = 0, wrong_argmax = 0;
        for (std::size_t i = 0; i < got.size(); ++i) {
          const auto c = static_cast<std::int64_t>(i) % channels;
          const auto at = static_cast<std::int64_t>(i) / channels;
          double largest = -kInfinity, at_argmax = 0;
          for (std::int64_t tap = 0; tap < 4; ++tap) {
            const std::int64_t pixel =
                (at / columns * 2 + tap / 2) * width + at % columns * 2 + tap % 2;
            const double sum = all[static_cast<std::size_t>(pixel * channels + c)];
            if (taken[i] == tap) at_argmax = sum;
            if (!std::isnan(largest) && !(sum <= largest)) largest = sum;
          }
          wrong += !is(got[i], largest >= 0                         ? largest
                               : slope == 0 && !std::isnan(largest) ? 0
                                                                    : slope * largest);
          wrong_argmax += !is(at_argmax, largest);
        }
        INFO(name << ", " << width << " pixels, " << channels << " channels, "
                  << strange.numbers.size() << " strange, in " << strange.place);
        CHECK(wrong == 0);
        CHECK(wrong_argmax == 0);
        CHECK(same_bits(y, beside));
      }
  });
}

TEST_CASE("of equal sums the first is the maximum, in whatever plane", "[device]") {
  const QueueHandle queue = test_queue(1);
  for_each_instruction_set([&](const std::string& name) {
    for (const int rank : {2, 3}) {
      Window window{.rank = rank}, pool{.rank = rank};
      Shape shape{2}, kernel, pooled{2};
      for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d) {
        window.kernel[d] = 3;
        window.pad_before[d] = window.pad_after[d] = 1;
        pool.kernel[d] = pool.stride[d] = 2;
        shape.push_back(8);
        kernel.push_back(3);
        pooled.push_back(4);
      }
      for (const std::int64_t channels : {8, 16}) kernel.push_back(channels);
      shape.push_back(8);
      pooled.push_back(16);
      Random random(5);
      const Tensor x = random_tensor(shape, DType::f32, random), weight(kernel, DType::f32);
      Tensor y(pooled, DType::f32), argmax(pooled, DType::u8);
      std::ranges::fill(argmax.values<std::uint8_t>(), std::uint8_t{9});
      run_on(
          queue,
          Conv{.x = x, .weight = weight, .y = y, .argmax = argmax, .window = window, .pool = pool});
      INFO(name << ", rank " << rank);
      CHECK(std::ranges::all_of(argmax.values<std::uint8_t>(),
                                [](std::uint8_t tap) { return tap == 0; }));
    }
  });
}
