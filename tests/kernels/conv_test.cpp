// Convolution against sums written out in double, on random problems.
#include "../../kernels/conv.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../catch.h"
#include "conv_case.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// The sums are of up to a few thousand terms of size one.
double tolerance_of_sums(DType dtype) { return dtype == DType::f64 ? 1e-11 : 2e-4; }

}  // namespace

TEST_CASE("convolution and its gradients are the sums they stand for", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& name) {
    Random random(11);
    for (int i = 0; i < 200; ++i) {
      const Case c = random_case(random);
      const DType dtype = i % 4 == 3 ? DType::f64 : DType::f32;
      Tensors t = random_tensors(c, dtype, random);
      const Oracle o = oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy));
      INFO(name << ", case " << i << ": x " << to_string(c.x) << ", weight " << to_string(c.weight)
                << ", y " << to_string(c.y));

      Tensor y(c.y, dtype);
      run_on(queue, Conv{.x = t.x,
                         .weight = t.weight,
                         .bias = t.bias,
                         .y = y,
                         .window = c.window,
                         .groups = c.groups});
      CHECK(distance(y, o.y) < tolerance_of_sums(dtype));

      Tensor dx(c.x, dtype);
      run_on(queue,
             ConvBackwardData{
                 .dy = t.dy, .weight = t.weight, .dx = dx, .window = c.window, .groups = c.groups});
      CHECK(distance(dx, o.dx) < tolerance_of_sums(dtype));

      Tensor dweight(c.weight, dtype), dbias({c.out}, dtype);
      run_on(queue, ConvBackwardWeights{.x = t.x,
                                        .dy = t.dy,
                                        .dweight = dweight,
                                        .dbias = dbias,
                                        .window = c.window,
                                        .groups = c.groups});
      CHECK(distance(dweight, o.dweight) < tolerance_of_sums(dtype));
      CHECK(distance(dbias, o.dbias) < tolerance_of_sums(dtype));
    }
  });
}

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
        double value = o.y[static_cast<std::size_t>(from)];
        if (value < 0 && activation == Activation::relu) value = 0;
        if (value < 0 && activation == Activation::leaky_relu) value *= 0.1;
        expected[to] = std::max(expected[to], value);
      });

      Tensor y(pooled, dtype), without(pooled, dtype), argmax(pooled, DType::u8);
      Conv op{.x = t.x,
              .weight = t.weight,
              .bias = t.bias,
              .y = y,
              .argmax = argmax,
              .window = c.window,
              .activation = activation,
              .slope = 0.1,
              .pool = pool,
              .groups = c.groups};
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
        double value = o.y[static_cast<std::size_t>(from)];
        if (value < 0 && activation == Activation::relu) value = 0;
        if (value < 0 && activation == Activation::leaky_relu) value *= 0.1;
        at_argmax[to] = value;
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

TEST_CASE("convolution gives the same bits on one thread and on four, alone and in a batch",
          "[device][small]") {
  Random random(13);
  for (int i = 0; i < 12; ++i) {
    Case c = random_case(random);
    c.x = c.x.with_first(3);
    c.y = c.y.with_first(3);
    Tensors t = random_tensors(c, DType::f32, random);
    Tensor y[2], dx[2], dweight[2];
    for (int k = 0; k < 2; ++k) {
      const QueueHandle queue = test_queue(k ? 4 : 1);
      y[k] = Tensor(c.y, DType::f32);
      dx[k] = Tensor(c.x, DType::f32);
      dweight[k] = Tensor(c.weight, DType::f32);
      run_on(queue, Conv{.x = t.x,
                         .weight = t.weight,
                         .bias = t.bias,
                         .y = y[k],
                         .window = c.window,
                         .groups = c.groups});
      run_on(
          queue,
          ConvBackwardData{
              .dy = t.dy, .weight = t.weight, .dx = dx[k], .window = c.window, .groups = c.groups});
      run_on(
          queue,
          ConvBackwardWeights{
              .x = t.x, .dy = t.dy, .dweight = dweight[k], .window = c.window, .groups = c.groups});
    }
    CHECK(same_bits(y[0], y[1]));
    CHECK(same_bits(dx[0], dx[1]));
    CHECK(same_bits(dweight[0], dweight[1]));

    const QueueHandle queue = test_queue(1);
    Tensor alone(c.y.with_first(1), DType::f32);
    run_on(queue, Conv{.x = t.x.view().first(1),
                       .weight = t.weight,
                       .bias = t.bias,
                       .y = alone,
                       .window = c.window,
                       .groups = c.groups});
    CHECK(std::memcmp(alone.data(), y[0].data(), alone.bytes()) == 0);
  }
}

TEST_CASE("the gradient of a strided convolution's input, phase by phase", "[device]") {
  struct Strided {
    Shape x;
    std::int64_t out;
    Window window;
  };
  const Strided cases[] = {
      // Transposed 2x2 of whole panels, in place; then where the last row and column get no tap.
      {{3, 8, 8, 32}, 7, {.rank = 2, .kernel = {2, 2}, .stride = {2, 2}}},
      {{3, 9, 27, 32}, 5, {.rank = 2, .kernel = {2, 2}, .stride = {2, 2}}},
      // Phases of a row as one: few channels, and panels that the row's end cuts.
      {{3, 7, 11, 1}, 32, {.rank = 2, .kernel = {2, 2}, .stride = {2, 2}}},
      {{3, 6, 13, 8}, 3, {.rank = 2, .kernel = {2, 4}, .stride = {2, 2}, .pad_before = {0, 1}}},
      {{3, 5, 22, 16}, 3, {.rank = 2, .kernel = {3, 6}, .stride = {2, 3}, .pad_after = {1, 4}}},
      {{3, 5, 2, 4}, 2, {.rank = 2, .kernel = {3, 3}, .stride = {2, 3}, .pad_before = {1, 1}}},
      // Several panels, the last one not full.
      {{3, 15, 9, 37},
       13,
       {.rank = 2, .kernel = {3, 5}, .stride = {3, 2}, .pad_before = {1, 2}, .pad_after = {1, 2}}},
      // Strides that are not alike, one of them 1; kernels smaller than the stride.
      {{3, 7, 16, 5}, 4, {.rank = 2, .kernel = {3, 3}, .stride = {1, 2}, .pad_before = {1, 0}}},
      {{3, 17, 5, 5}, 1, {.rank = 2, .kernel = {1, 2}, .stride = {3, 1}}},
      {{3, 11, 7, 3}, 2, {.rank = 2, .kernel = {1, 1}, .stride = {2, 3}}},
      // Padding wider than the kernel, also with stride 1; a kernel that only the padding meets.
      {{3, 6, 7, 3},
       4,
       {.rank = 2, .kernel = {2, 3}, .stride = {2, 3}, .pad_before = {4, 5}, .pad_after = {5, 3}}},
      {{3, 4, 5, 2}, 3, {.rank = 2, .kernel = {1, 2}, .pad_before = {2, 3}, .pad_after = {3, 2}}},
      {{3, 1, 1, 2}, 3, {.rank = 2, .kernel = {1, 1}, .stride = {3, 3}, .pad_before = {1, 2}}},
      // Dilation that shares a divisor with the stride, or none.
      {{3, 13, 19, 2},
       3,
       {.rank = 2, .kernel = {3, 3}, .stride = {2, 4}, .dilation = {2, 6}, .pad_before = {1, 2}}},
      {{3, 13, 19, 32}, 3, {.rank = 2, .kernel = {3, 3}, .stride = {2, 3}, .dilation = {3, 2}}},
      {{3, 31, 1}, 1, {.rank = 1, .kernel = {5}, .stride = {3}, .pad_before = {2}}},
      {{3, 29, 32}, 11, {.rank = 1, .kernel = {3}, .stride = {2}, .pad_after = {2}}},
      {{3, 5, 6, 7, 3},
       5,
       {.rank = 3, .kernel = {3, 2, 3}, .stride = {2, 3, 2}, .pad_before = {1, 0, 1}}},
      {{3, 7, 5, 3, 17},
       2,
       {.rank = 3, .kernel = {1, 3, 2}, .stride = {2, 1, 1}, .pad_after = {2, 1, 1}}},
      // Several bands.
      {{3, 70, 33, 3}, 64, {.rank = 2, .kernel = {3, 3}, .stride = {2, 2}, .pad_before = {1, 1}}}};
  const QueueHandle one = test_queue(1), four = test_queue(4);
  for_each_instruction_set([&](const std::string& name) {
    Random random(14);
    for (const Strided& strided : cases) {
      Case c{.x = strided.x, .window = strided.window, .in = strided.x.back(), .out = strided.out};
      for (int d = 0; d < c.window.rank; ++d)
        c.weight.push_back(c.window.kernel[static_cast<std::size_t>(d)]);
      c.weight.push_back(c.in);
      c.weight.push_back(c.out);
      c.y = c.window.output(c.x, c.out, "test");
      Tensors t = random_tensors(c, DType::f32, random);
      INFO(name << ": x " << to_string(c.x) << ", weight " << to_string(c.weight) << ", y "
                << to_string(c.y));
      const auto gradient = [&](const QueueHandle& queue, const ConstView& dy) {
        Tensor dx(c.x.with_first(dy.shape[0]), DType::f32);
        std::ranges::fill(dx.values<float>(), std::nanf(""));
        run_on(queue, ConvBackwardData{.dy = dy, .weight = t.weight, .dx = dx, .window = c.window});
        return dx;
      };
      const Tensor dx = gradient(one, t.dy);
      const Oracle o = oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy));
      CHECK(distance(dx, o.dx) < tolerance_of_sums(DType::f32));
      CHECK(same_bits(dx, gradient(four, t.dy)));

      // Alone, and between samples that would spoil it.
      const auto sample = static_cast<std::size_t>(c.y.with_first(1).count());
      Tensor middle(c.y.with_first(1), DType::f32);
      std::ranges::copy(t.dy.values<float>().subspan(sample, sample),
                        middle.values<float>().begin());
      std::ranges::fill(t.dy.values<float>().first(sample), std::nanf(""));
      std::ranges::fill(t.dy.values<float>().last(sample), std::nanf(""));
      const Tensor alone = gradient(one, middle), between = gradient(four, t.dy);
      const float* const expected = dx.values<float>().data() + alone.count();
      CHECK(std::memcmp(alone.data(), expected, alone.bytes()) == 0);
      CHECK(std::memcmp(between.values<float>().data() + alone.count(), expected, alone.bytes()) ==
            0);
    }
  });
}

TEST_CASE("convolutions whose neighbouring pixels are one, and of many bands and blocks") {
  struct Sizes {
    Shape x;
    std::int64_t out;
    Window window;
  };
  const Sizes cases[] = {
      // Half a vector of channels, even and odd rows; rows of fewer pixels than are one.
      {{2, 6, 16, 3}, 8, {.rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}}},
      {{2, 6, 17, 3}, 8, {.rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}}},
      {{2, 5, 4, 2}, 8, {.rank = 2, .kernel = {2, 4}}},
      {{2, 5, 5, 2}, 4, {.rank = 2, .kernel = {2, 3}}},
      {{2, 7, 21, 1}, 4, {.rank = 2, .kernel = {3, 3}, .pad_before = {0, 1}}},
      {{2, 7, 23, 1}, 2, {.rank = 2, .kernel = {1, 4}, .pad_after = {0, 3}}},
      {{2, 30, 1}, 1, {.rank = 1, .kernel = {5}, .pad_before = {2}, .pad_after = {2}}},
      {{2, 9, 19, 1}, 8, {.rank = 2, .kernel = {3, 5}, .stride = {2, 2}, .pad_before = {1, 2}}},
      {{2, 9, 19, 2}, 8, {.rank = 2, .kernel = {3, 3}, .dilation = {1, 2}}},
      // Volumes: bands of several planes, the last ones not full.
      {{1, 7, 6, 11, 1},
       8,
       {.rank = 3, .kernel = {3, 3, 3}, .pad_before = {1, 1, 1}, .pad_after = {1, 1, 1}}},
      {{2, 9, 8, 7, 9},
       12,
       {.rank = 3,
        .kernel = {3, 2, 2},
        .stride = {2, 1, 1},
        .pad_before = {1, 1, 0},
        .pad_after = {1, 0, 1}}},
      {{1, 6, 30, 29, 9},
       20,
       {.rank = 3, .kernel = {2, 3, 2}, .pad_before = {1, 1, 1}, .pad_after = {0, 1, 0}}},
      // Several bands, of several panels.
      {{1, 61, 40, 24}, 40, {.rank = 2, .kernel = {2, 2}, .pad_before = {1, 0}}},
      {{9, 5, 6, 13}, 33, {.rank = 2, .kernel = {2, 1}}},
      // Winograd's, of many tiles; of volumes pooled by 2x2x2, whose last planes and rows are left.
      {{2, 7, 9, 10, 8},
       12,
       {.rank = 3, .kernel = {3, 3, 3}, .pad_before = {1, 1, 1}, .pad_after = {1, 1, 1}}},
      {{3, 5, 16, 8, 17},
       40,
       {.rank = 3, .kernel = {2, 3, 3}, .pad_before = {0, 1, 1}, .pad_after = {0, 1, 1}}},
      {{2, 37, 41, 17},
       19,
       {.rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}}}};
  const QueueHandle queues[] = {test_queue(1), test_queue(4)};
  Random random(18);
  for (const Sizes& sizes : cases) {
    Case c{.x = sizes.x, .window = sizes.window, .in = sizes.x.back(), .out = sizes.out};
    for (int d = 0; d < c.window.rank; ++d)
      c.weight.push_back(c.window.kernel[static_cast<std::size_t>(d)]);
    c.weight.push_back(c.in);
    c.weight.push_back(c.out);
    c.y = c.window.output(c.x, c.out, "test");
    const Tensors t = random_tensors(c, DType::f32, random);
    Oracle o = oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy));
    for (double& value : o.y) value = std::max(value, 0.0);
    // Pooled as far as there is room.
    Window pool{.rank = c.window.rank};
    for (int d = 0; d < pool.rank; ++d)
      pool.kernel[static_cast<std::size_t>(d)] = pool.stride[static_cast<std::size_t>(d)] =
          std::min<std::int64_t>(2, c.y[d + 1]);
    const Shape pooled = pool.output(c.y, c.out, "test");
    Doubles largest(static_cast<std::size_t>(pooled.count()), 0.0);
    for_each_tap(c.y, pool, [&](std::size_t to, std::int64_t from, std::int64_t) {
      largest[to] = std::max(largest[to], o.y[static_cast<std::size_t>(from)]);
    });
    for_each_instruction_set([&](const std::string& name) {
      INFO(name << ": x " << to_string(c.x) << ", weight " << to_string(c.weight));
      Tensor results[2][5];
      for (int q = 0; q < 2; ++q) {
        Tensor* r = results[q];
        r[0] = Tensor(c.y, DType::f32);
        r[1] = Tensor(c.x, DType::f32);
        r[2] = Tensor(c.weight, DType::f32);
        r[3] = Tensor({c.out}, DType::f32);
        r[4] = Tensor(pooled, DType::f32);
        Conv op{.x = t.x,
                .weight = t.weight,
                .bias = t.bias,
                .y = r[0],
                .window = c.window,
                .activation = Activation::relu};
        run_on(queues[q], op);
        run_on(queues[q],
               ConvBackwardData{.dy = t.dy, .weight = t.weight, .dx = r[1], .window = c.window});
        run_on(queues[q],
               ConvBackwardWeights{
                   .x = t.x, .dy = t.dy, .dweight = r[2], .dbias = r[3], .window = c.window});
        op.y = r[4];
        op.pool = pool;
        run_on(queues[q], op);
        // With the taps of the maxima, the same.
        Tensor beside(pooled, DType::f32), argmax(pooled, DType::u8);
        op.y = beside;
        op.argmax = argmax;
        run_on(queues[q], op);
        CHECK(same_bits(beside, r[4]));
        Doubles at_argmax(largest.size(), 1e300);
        for_each_tap(c.y, pool, [&](std::size_t to, std::int64_t from, std::int64_t tap) {
          if (argmax.values<std::uint8_t>()[to] == tap)
            at_argmax[to] = o.y[static_cast<std::size_t>(from)];
        });
        CHECK(distance(beside, at_argmax) < tolerance_of_sums(DType::f32));
      }
      const Doubles* const expected[] = {&o.y, &o.dx, &o.dweight, &o.dbias, &largest};
      for (int k = 0; k < 5; ++k) {
        INFO("result " << k);
        CHECK(distance(results[0][k], *expected[k]) < tolerance_of_sums(DType::f32));
        CHECK(same_bits(results[0][k], results[1][k]));
      }
    });
  }
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

TEST_CASE("convolution refuses arguments that do not fit together", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({2, 5, 5, 3}, DType::f32), weight({3, 3, 3, 4}, DType::f32), y({2, 3, 3, 4}, DType::f32);
  Window window{.rank = 2, .kernel = {3, 3, 1}};
  run_on(queue, Conv{.x = x, .weight = weight, .y = y, .window = window});
  Tensor narrow({3, 3, 2, 4}, DType::f32), small({2, 3, 3, 3}, DType::f32);
  Tensor bytes({2, 5, 5, 3}, DType::u8);
  CHECK_THROWS_AS(run_on(queue, Conv{.x = x, .weight = narrow, .y = y, .window = window}), Error);
  CHECK_THROWS_AS(run_on(queue, Conv{.x = x, .weight = weight, .y = small, .window = window}),
                  Error);
  CHECK_THROWS_AS(run_on(queue, Conv{.x = bytes, .weight = weight, .y = y, .window = window}),
                  Error);
  window.kernel[0] = 6;
  CHECK_THROWS_AS(run_on(queue, Conv{.x = x, .weight = weight, .y = y, .window = window}), Error);
}

TEST_CASE("a convolution whose border is absurd is computed all the same", "[device]") {
  const QueueHandle queue = test_queue(1);
  constexpr std::int64_t kFar = (std::int64_t{1} << 22) - 1, kHalf = std::int64_t{1} << 21;
  const Window window{.rank = 3,
                      .kernel = {2, 2, 1},
                      .stride = {1, 1, 1 << 18},
                      .dilation = {kFar, kFar, 1},
                      .pad_before = {kHalf, kHalf, 1 << 17},
                      .pad_after = {kHalf - 1, kHalf - 1, (1 << 17) - 1}};
  const Tensor x = tensor_of({1, 1, 1, 1, 1}, DType::f32, {3});
  const Tensor weight = tensor_of({2, 2, 1, 1, 1}, DType::f32, {1, 2, 3, 4});
  Tensor y({1, 1, 1, 1, 1}, DType::f32), dx({1, 1, 1, 1, 1}, DType::f32);
  Tensor dweight({2, 2, 1, 1, 1}, DType::f32);
  run_on(queue, Conv{.x = x, .weight = weight, .y = y, .window = window});
  run_on(queue, ConvBackwardData{.dy = x, .weight = weight, .dx = dx, .window = window});
  run_on(queue, ConvBackwardWeights{.x = x, .dy = x, .dweight = dweight, .window = window});
  // No tap lies on the only pixel.
  CHECK(doubles(y)[0] == 0);
  CHECK(doubles(dx)[0] == 0);
  CHECK(doubles(dweight) == Doubles(4));
}

TEST_CASE("a convolution with few channels out, whose vectors hold terms", "[device]") {
  Random random(17);
  const QueueHandle queues[] = {test_queue(1), test_queue(4)};
  for_each_instruction_set([&](const std::string& name) {
    for (int i = 0; i < 60; ++i) {
      Case c = random_case(random);
      c.groups = 1;
      // Runs of whole vectors, a term more or less, and shorter ones.
      c.in = i % 3 == 0 ? 8 * (1 + random.integer(5)) : 1 + random.integer(37);
      c.out = 1 + random.integer(4);
      c.x[c.x.rank() - 1] = c.weight[c.weight.rank() - 2] = c.in;
      c.y[c.y.rank() - 1] = c.weight[c.weight.rank() - 1] = c.out;
      Tensors t = random_tensors(c, DType::f32, random);
      const Oracle o = oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy));
      INFO(name << ", case " << i << ": x " << to_string(c.x) << ", weight " << to_string(c.weight)
                << ", y " << to_string(c.y));
      // Turned round: few channels of x.
      Case turned = c;
      std::swap(turned.in, turned.out);
      turned.x[c.x.rank() - 1] = turned.weight[c.weight.rank() - 2] = turned.in;
      turned.y[c.y.rank() - 1] = turned.weight[c.weight.rank() - 1] = turned.out;
      Tensors u = random_tensors(turned, DType::f32, random);
      const Oracle v =
          oracle(turned, doubles(u.x), doubles(u.weight), doubles(u.bias), doubles(u.dy));
      Tensor results[2][4];
      for (int q = 0; q < 2; ++q) {
        Tensor* r = results[q];
        r[0] = Tensor(c.y, DType::f32);
        r[1] = Tensor(c.weight, DType::f32);
        r[2] = Tensor({c.out}, DType::f32);
        r[3] = Tensor(turned.x, DType::f32);
        run_on(queues[q],
               Conv{.x = t.x, .weight = t.weight, .bias = t.bias, .y = r[0], .window = c.window});
        run_on(queues[q],
               ConvBackwardWeights{
                   .x = t.x, .dy = t.dy, .dweight = r[1], .dbias = r[2], .window = c.window});
        run_on(queues[q],
               ConvBackwardData{.dy = u.dy, .weight = u.weight, .dx = r[3], .window = c.window});
      }
      CHECK(distance(results[0][0], o.y) < tolerance_of_sums(DType::f32));
      CHECK(distance(results[0][1], o.dweight) < tolerance_of_sums(DType::f32));
      CHECK(distance(results[0][2], o.dbias) < tolerance_of_sums(DType::f32));
      CHECK(distance(results[0][3], v.dx) < tolerance_of_sums(DType::f32));
      for (int k = 0; k < 4; ++k) CHECK(same_bits(results[0][k], results[1][k]));

      Tensor last(c.y.with_first(1), DType::f32);
      const std::size_t n = static_cast<std::size_t>(c.x[0]) - 1;
      run_on(queues[0],
             Conv{.x = ConstView(static_cast<const char*>(t.x.data()) + n * t.x.bytes() / (n + 1),
                                 DType::f32, c.x.with_first(1)),
                  .weight = t.weight,
                  .bias = t.bias,
                  .y = last,
                  .window = c.window});
      CHECK(std::memcmp(last.data(),
                        static_cast<const char*>(results[0][0].data()) + n * last.bytes(),
                        last.bytes()) == 0);
    }
  });
}

TEST_CASE("what is not finite stays with its own output where few channels go out",
          "[device][small]") {
  const QueueHandle queue = test_queue(1);
  for_each_instruction_set([&](const std::string& name) {
    INFO(name);
    for (const std::int64_t in : {8, 11, 16}) {
      const auto infinity = std::numeric_limits<double>::infinity();
      const auto n = static_cast<std::size_t>(in);
      // Of three pixels the second is infinite in one channel, the third not a number.
      for (std::size_t channel = 0; channel < n; ++channel) {
        Doubles values(3 * n, 1.0);
        values[n + channel] = -infinity;
        values[2 * n + channel] = std::nan("");
        const Tensor x = tensor_of({1, 3, in}, DType::f32, values);
        const Tensor weight = tensor_of({1, in, 1}, DType::f32, Doubles(n, 1.0));
        const Tensor dy = tensor_of({1, 3, 1}, DType::f32, {1.0, 1.0, 0.0});
        Tensor y({1, 3, 1}, DType::f32), dweight({1, in, 1}, DType::f32);
        Conv op{.x = x, .weight = weight, .y = y, .window = {.rank = 1}};
        run_on(queue, op);
        CHECK(doubles(y)[0] == static_cast<double>(in));
        CHECK(doubles(y)[1] == -infinity);
        CHECK(std::isnan(doubles(y)[2]));
        op.activation = Activation::relu;
        run_on(queue, op);
        CHECK(doubles(y)[1] == 0.0);
        CHECK(std::isnan(doubles(y)[2]));
        values[2 * n + channel] = 1.0;
        const Tensor finite_last = tensor_of({1, 3, in}, DType::f32, values);
        run_on(queue, ConvBackwardWeights{
                          .x = finite_last, .dy = dy, .dweight = dweight, .window = {.rank = 1}});
        for (std::size_t k = 0; k < n; ++k)
          CHECK(doubles(dweight)[k] == (k == channel ? -infinity : 2.0));
      }
    }
  });
}
