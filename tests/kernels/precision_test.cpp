// Convolutions and dense layers whose factors are rounded to tf32 or bf16.
#include "../../core/precision.h"

#include <bit>
#include <cstring>

#include "../../kernels/conv.h"
#include "../../kernels/dense.h"
#include "../catch.h"
#include "../network/refused.h"
#include "conv_case.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// To the significant bits that the precision has. tf32 takes ties away from zero, bf16 to even.
float rounded(float value, Precision precision) {
  if (precision == Precision::bf16) return bf16_to_float(float_to_bf16(value));
  const auto bits = (std::bit_cast<std::uint32_t>(value) + 0x1000u) & 0xFFFFE000u;
  return std::bit_cast<float>(bits);
}

Tensor rounded(const Tensor& tensor, Precision precision) {
  Tensor result = tensor.clone();
  for (float& value : result.values<float>()) value = rounded(value, precision);
  return result;
}

// Small enough for the emulation; every third with channels in eights, as networks have them.
Case case_of(int i, Random& random) {
  Case c = random_case(random);
  // Grouped channels are multiplied in f32 by a kernel of their own.
  c.groups = 1;
  c.weight[c.weight.rank() - 2] = c.in;
  if (i % 3 != 0) return c;
  c.in = 8 * (1 + random.integer(5));
  c.out = 8 * (1 + random.integer(9));
  c.x[c.x.rank() - 1] = c.in;
  c.weight[c.weight.rank() - 2] = c.in;
  c.weight[c.weight.rank() - 1] = c.out;
  c.y[c.y.rank() - 1] = c.out;
  return c;
}

// As much of a tensor as that shape holds.
Tensor first(const Tensor& tensor, const Shape& shape) {
  Doubles values = doubles(tensor);
  values.resize(static_cast<std::size_t>(shape.count()));
  return tensor_of(shape, DType::f32, values);
}

struct Results {
  Tensor y, dx, dweight, dbias;
};

Results compute(const QueueHandle& queue, const Case& c, const Tensors& t, Precision precision) {
  Results r{Tensor(c.y, DType::f32), Tensor(c.x, DType::f32), Tensor(c.weight, DType::f32),
            Tensor({c.out}, DType::f32)};
  run_on(queue, Conv{.x = t.x,
                     .weight = t.weight,
                     .bias = t.bias,
                     .y = r.y,
                     .window = c.window,
                     .precision = precision});
  run_on(
      queue,
      ConvBackwardData{
          .dy = t.dy, .weight = t.weight, .dx = r.dx, .window = c.window, .precision = precision});
  run_on(queue, ConvBackwardWeights{.x = t.x,
                                    .dy = t.dy,
                                    .dweight = r.dweight,
                                    .dbias = r.dbias,
                                    .window = c.window,
                                    .precision = precision});
  return r;
}

}  // namespace

TEST_CASE("convolutions in tf32 and bf16 are the sums of rounded factors", "[device]") {
  const QueueHandle queue = test_queue();
  if (!queue->multiplies_rounded) return;
  Random random(31);
  for (int i = 0; i < 24; ++i) {
    const Precision precision = i % 2 ? Precision::tf32 : Precision::bf16;
    const Case c = case_of(i / 2, random);
    const Tensors t = random_tensors(c, DType::f32, random);
    INFO(name_of(precision) << ", case " << i << ": x " << to_string(c.x) << ", weight "
                            << to_string(c.weight) << ", y " << to_string(c.y));
    const Oracle o =
        oracle(c, doubles(rounded(t.x, precision)), doubles(rounded(t.weight, precision)),
               doubles(t.bias), doubles(rounded(t.dy, precision)));
    const Results r = compute(queue, c, t, precision);
    CHECK(distance(r.y, o.y) < tolerance_of_sums(DType::f32));
    CHECK(distance(r.dx, o.dx) < tolerance_of_sums(DType::f32));
    CHECK(distance(r.dweight, o.dweight) < tolerance_of_sums(DType::f32));
    // Sums of gradients that are not rounded.
    const Oracle exact = oracle(c, doubles(t.x), doubles(t.weight), doubles(t.bias), doubles(t.dy));
    CHECK(distance(r.dbias, exact.dbias) < tolerance_of_sums(DType::f32));
  }
}

TEST_CASE("dense layers in tf32 and bf16 are the sums of rounded factors", "[device]") {
  const QueueHandle queue = test_queue();
  if (!queue->multiplies_rounded) return;
  Random random(32);
  for (int i = 0; i < 12; ++i) {
    const Precision precision = i % 2 ? Precision::tf32 : Precision::bf16;
    const bool eights = i % 4 < 2;
    Case c;  // a convolution of one pixel
    c.window.rank = 1;
    c.in = eights ? 8 * (1 + random.integer(40)) : 1 + random.integer(300);
    c.out = eights ? 8 * (1 + random.integer(12)) : 1 + random.integer(90);
    const std::int64_t n = 1 + random.integer(200);
    c.x = {n, 1, c.in};
    c.weight = {1, c.in, c.out};
    c.y = {n, 1, c.out};
    const Tensors t = random_tensors(c, DType::f32, random);
    INFO(name_of(precision) << ": " << n << " x " << c.in << " x " << c.out);
    const Oracle o =
        oracle(c, doubles(rounded(t.x, precision)), doubles(rounded(t.weight, precision)),
               doubles(t.bias), doubles(rounded(t.dy, precision)));
    const auto flat = [](const Tensor& tensor, std::int64_t rows) {
      return tensor.view().reshaped({rows, tensor.view().count() / rows});
    };
    Tensor y({n, c.out}, DType::f32), dx({n, c.in}, DType::f32), dweight({c.in, c.out}, DType::f32);
    run_on(queue, Dense{.x = flat(t.x, n),
                        .weight = flat(t.weight, c.in),
                        .bias = t.bias,
                        .y = y,
                        .precision = precision});
    run_on(
        queue,
        DenseBackwardData{
            .dy = flat(t.dy, n), .weight = flat(t.weight, c.in), .dx = dx, .precision = precision});
    run_on(queue,
           DenseBackwardWeights{
               .x = flat(t.x, n), .dy = flat(t.dy, n), .dweight = dweight, .precision = precision});
    CHECK(distance(y, o.y) < tolerance_of_sums(DType::f32));
    CHECK(distance(dx, o.dx) < tolerance_of_sums(DType::f32));
    CHECK(distance(dweight, o.dweight) < tolerance_of_sums(DType::f32));
  }
}

TEST_CASE("a sample has the same bits alone and in a batch, in tf32 and bf16", "[device]") {
  const QueueHandle queue = test_queue();
  if (!queue->multiplies_rounded) return;
  Random random(33);
  for (int i = 0; i < 6; ++i) {
    const Precision precision = i % 2 ? Precision::tf32 : Precision::bf16;
    Case c = case_of(i, random);
    c.x = c.x.with_first(3);
    c.y = c.y.with_first(3);
    Tensors t = random_tensors(c, DType::f32, random);
    const Results all = compute(queue, c, t, precision);
    Case one = c;
    one.x = c.x.with_first(1);
    one.y = c.y.with_first(1);
    const Results alone = compute(
        queue, one, {first(t.x, one.x), t.weight.clone(), t.bias.clone(), first(t.dy, one.y)},
        precision);
    CHECK(std::memcmp(alone.y.data(), all.y.data(), alone.y.bytes()) == 0);
    CHECK(std::memcmp(alone.dx.data(), all.dx.data(), alone.dx.bytes()) == 0);
  }
}

TEST_CASE("a device that multiplies in f32 alone refuses other precisions", "[device][small]") {
  const QueueHandle queue = test_queue();
  const Tensor x({2, 5}, DType::f32), weight({5, 3}, DType::f32);
  Tensor y({2, 3}, DType::f32);
  const Dense op{.x = x, .weight = weight, .y = y, .precision = Precision::bf16};
  if (queue->multiplies_rounded)
    CHECK_NOTHROW(run_on(queue, op));
  else
    CHECK(refused(ErrorKind::device, "bf16", [&] { run_on(queue, op); }) == "");
}

TEST_CASE("precisions have names") {
  for (const Precision precision : {Precision::f32, Precision::tf32, Precision::bf16})
    CHECK(parse_precision(name_of(precision)) == precision);
  CHECK(refused(ErrorKind::usage, "fp8", [] { parse_precision("fp8"); }) == "");
}
