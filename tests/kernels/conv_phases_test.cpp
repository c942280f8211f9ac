// Gradients of strided convolutions' inputs, whose phases are convolutions of their own.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "../../kernels/conv.h"
#include "../catch.h"
#include "conv_case.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

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
      const Case c = case_of(strided.x, strided.out, strided.window);
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
