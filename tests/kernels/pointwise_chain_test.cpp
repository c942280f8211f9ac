// Chains of pointwise operations against the operations one after the other.
#include "../../kernels/pointwise_chain.h"

#include "../../kernels/activation.h"
#include "../../kernels/pointwise.h"
#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// What the chain gives by an operation for each of its steps.
Tensor one_by_one(const QueueHandle& queue, const PointwiseChain& chain) {
  Tensor value = Tensor::copy_of(chain.x);
  for (int i = 0; i < chain.count; ++i) {
    const auto& [what, with] = chain.steps[i];
    if (what.combine == Combine::add) run_on(queue, Add{.a = value, .b = with, .y = value});
    if (what.combine == Combine::multiply) run_on(queue, Multiply{value, with, value});
    run_on(queue, Activate{value, value, what.activation, what.slope});
  }
  return value;
}

}  // namespace

TEST_CASE("a chain gives what its operations give, to the bit on a CPU", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(2);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::int64_t n : {1, 7, 1023, 1024, 1025, 33000}) {
        const Tensor x = random_tensor({n}, dtype, random), a = random_tensor({n}, dtype, random),
                     b = random_tensor({n}, dtype, random);
        const PointwiseChain::Step multiply{{.combine = Combine::multiply}, a};
        const PointwiseChain::Step sum{
            {.combine = Combine::add, .activation = Activation::leaky_relu, .slope = 0.25}, b};
        const PointwiseChain::Step gate{
            {.combine = Combine::add, .activation = Activation::sigmoid}, a};
        const PointwiseChain::Step elu{{.activation = Activation::elu, .slope = 0.5}};
        const PointwiseChain::Step tanh{{.activation = Activation::tanh}};
        const PointwiseChain::Step same{{}};
        for (PointwiseChain chain :
             {PointwiseChain{.steps = {elu}, .count = 1},
              PointwiseChain{.steps = {elu, multiply, sum}, .count = 3},
              PointwiseChain{.steps = {multiply, tanh}, .count = 2},
              PointwiseChain{.steps = {same, gate, same}, .count = 3},
              PointwiseChain{.steps = {sum, elu, gate, multiply, tanh, sum, elu, multiply},
              .count = 8}}) {
          Tensor y({n}, dtype);
          chain.x = x;
          chain.y = y;
          run_on(queue, chain);
          const Tensor expected = one_by_one(queue, chain);
          if (on_cpu())
            CHECK(same_bits(y, expected));
          else
            CHECK(distance(y, doubles(expected)) < tolerance(dtype));
        }
      }
  });
}

TEST_CASE("a chain may end where it begins, or in what its first step combines with", "[device]") {
  const QueueHandle queue = test_queue(2);
  Random random(3);
  for (const std::int64_t n : {5, 5000}) {
    const Tensor x = random_tensor({n}, DType::f32, random),
                 a = random_tensor({n}, DType::f32, random);
    PointwiseChain chain{
        .x = x,
        .steps = {{{.combine = Combine::multiply}, a}, {{.activation = Activation::softplus}}},
        .count = 2};
    Tensor apart({n}, DType::f32), in_x = x.clone(), in_a = a.clone();
    chain.y = apart;
    run_on(queue, chain);
    chain.x = in_x;
    chain.y = in_x;
    run_on(queue, chain);
    CHECK(same_bits(in_x, apart));
    chain.x = x;
    chain.steps[0].with = in_a;
    chain.y = in_a;
    run_on(queue, chain);
    CHECK(same_bits(in_a, apart));
  }
}

TEST_CASE("a chain keeps what is not a number, and its limits") {
  const QueueHandle queue = test_queue(1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  Tensor x({3}, DType::f32), y({3}, DType::f32);
  std::copy_n(std::initializer_list<float>{nan, infinity, -infinity}.begin(), 3,
              x.values<float>().data());
  run_on(queue, PointwiseChain{.x = x,
                               .steps = {{{.activation = Activation::elu, .slope = 1}},
                                         {{.activation = Activation::tanh}}},
                               .count = 2,
                               .y = y});
  CHECK(std::isnan(y.values<float>()[0]));
  CHECK(y.values<float>()[1] == 1);
  CHECK(y.values<float>()[2] == Approx(std::tanh(-1.0)));
}

TEST_CASE("chains that do not fit together are refused") {
  const QueueHandle queue = test_queue(1);
  const Tensor x({4}, DType::f32), wide({4}, DType::f64);
  Tensor longer({5}, DType::f32), y({4}, DType::f32);
  const auto chain = [&](const PointwiseChain::Step& step, int count = 1) {
    return PointwiseChain{.x = x, .steps = {step, step}, .count = count, .y = y};
  };
  const PointwiseStep add{.combine = Combine::add};
  CHECK_FALSE(refused(queue, chain({add, x}, 2)));
  CHECK(refused(queue, chain({add, x}, 0)));
  CHECK(refused(queue, chain({add, x}, PointwiseChain::kMostSteps + 1)));
  CHECK(refused(queue, chain({add, {}})));
  CHECK(refused(queue, chain({add, longer})));
  CHECK(refused(queue, chain({add, wide})));
  CHECK_FALSE(refused(queue, chain({add, y})));
  CHECK(refused(queue, chain({add, y}, 2)));  // overwritten before the second step reads it
  CHECK(refused(queue, chain({{.combine = static_cast<Combine>(9)}, x})));
  CHECK(refused(queue, chain({{.activation = Activation::elu, .slope = -1}, {}})));
  PointwiseChain other = chain({add, x});
  other.y = longer;
  CHECK(refused(queue, other));
}
