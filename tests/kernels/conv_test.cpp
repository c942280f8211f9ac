// Convolution against sums written out in double, on random problems.
#include <cstring>

#include "../../kernels/conv.h"
#include "../catch.h"
#include "conv_case.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

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
      run_on(queue, conv_of(c, t, y));
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

TEST_CASE("a convolution adds what it is given before its activation", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& name) {
    Random random(31);
    for (int i = 0; i < 120; ++i) {
      const Case c = random_case(random);
      const DType dtype = i % 4 == 3 ? DType::f64 : DType::f32;
      const Tensors t = random_tensors(c, dtype, random);
      const Tensor added = random_tensor(c.y, dtype, random);
      INFO(name << ", case " << i << ": x " << to_string(c.x) << ", weight "
                << to_string(c.weight));
      Doubles expected =
          oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy)).y;
      const Doubles terms = doubles(added);
      const auto activation = static_cast<Activation>(random.integer(3));
      for (std::size_t k = 0; k < expected.size(); ++k)
        expected[k] = activated(expected[k] + terms[k], activation);
      Tensor y(c.y, dtype);
      Conv op = conv_of(c, t, y);
      op.added = added;
      op.activation = activation;
      op.slope = 0.1;
      run_on(queue, op);
      CHECK(distance(y, expected) < tolerance_of_sums(dtype));
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
  CHECK_THROWS_AS(
      run_on(queue, Conv{.x = x, .weight = weight, .added = small, .y = y, .window = window}),
      Error);
  CHECK_THROWS_AS(
      run_on(queue, Conv{.x = x, .weight = weight, .added = y, .y = y, .window = window}), Error);
  Tensor pooled({2, 1, 1, 4}, DType::f32), same({2, 1, 1, 4}, DType::f32);
  CHECK_THROWS_AS(
      run_on(queue, Conv{.x = x,
                         .weight = weight,
                         .added = same,
                         .y = pooled,
                         .window = window,
                         .pool = {.rank = 2, .kernel = {3, 3, 1}, .stride = {3, 3, 1}}}),
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
