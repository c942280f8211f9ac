// Convolutions with few channels out, whose vectors hold terms of one sum.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "../../kernels/conv.h"
#include "../catch.h"
#include "conv_case.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

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
