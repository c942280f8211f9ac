// Convolutions whose sizes need many bands and blocks, or make neighbouring pixels one.
#include <algorithm>

#include "../../kernels/conv.h"
#include "../catch.h"
#include "conv_case.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

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
       {.rank = 2, .kernel = {3, 3}, .pad_before = {1, 1}, .pad_after = {1, 1}}},
      // One channel of 3x3: without a border; several planes.
      {{2, 21, 25, 1}, 32, {.rank = 2, .kernel = {3, 3}}},
      {{1, 5, 12, 40, 1},
       32,
       {.rank = 3, .kernel = {1, 3, 3}, .pad_before = {0, 1, 1}, .pad_after = {0, 1, 1}}}};
  const QueueHandle queues[] = {test_queue(1), test_queue(4)};
  Random random(18);
  for (const Sizes& sizes : cases) {
    const Case c = case_of(sizes.x, sizes.out, sizes.window);
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
