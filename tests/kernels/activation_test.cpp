#include "../../kernels/activation.h"

#include "../catch.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

double activated(double x, Activation activation, double slope) {
  if (activation == Activation::none || x >= 0) return x;
  return activation == Activation::relu ? 0 : slope * x;
}

double derivative(double x, Activation activation, double slope) {
  if (activation == Activation::none || x > 0) return 1;
  return activation == Activation::relu ? 0 : slope;
}

const Activation kinds[] = {Activation::none, Activation::relu, Activation::leaky_relu};

}  // namespace

TEST_CASE("activations and their derivatives equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  const double slope = 0.125;  // exact, so that both sides round alike
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(1);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Activation kind : kinds)
        for (const std::int64_t n : {1, 2, 3, 5, 7, 8, 13, 16, 31, 64, 70, 32768, 70001}) {
          Tensor x = random_tensor({n}, dtype, random);
          visit(x, [](auto values) {
            if (values.size() > 4) values[3] = 0;
          });
          const Tensor dy = random_tensor({n}, dtype, random);
          Tensor y({n}, dtype), dx({n}, dtype);
          run_on(queue, Activate{x, y, kind, slope});
          run_on(queue, ActivateBackward{y, dy, dx, kind, slope});
          std::vector<double> expected = doubles(x), gradient = doubles(dy);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            gradient[i] *= derivative(expected[i], kind, slope);
            expected[i] = activated(expected[i], kind, slope);
          }
          CHECK(distance(y, expected) == 0);
          CHECK(distance(dx, gradient) == 0);
        }
  });
}

TEST_CASE("activations work in place", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Random random(2);
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Activation kind : kinds) {
      Tensor x = random_tensor({3, 41}, dtype, random);
      Tensor dy = random_tensor({3, 41}, dtype, random);
      Tensor y({3, 41}, dtype), dx({3, 41}, dtype);
      run_on(queue, Activate{x, y, kind, 0.2});
      run_on(queue, ActivateBackward{y, dy, dx, kind, 0.2});
      run_on(queue, Activate{x, x, kind, 0.2});
      run_on(queue, ActivateBackward{y, dy, dy, kind, 0.2});
      CHECK(same_bits(x, y));
      CHECK(same_bits(dy, dx));
    }
}

TEST_CASE("a NaN passes through an activation", "[device]") {
  const QueueHandle queue = test_queue(1);
  for_each_instruction_set([&](const std::string&) {
    for (const Activation kind : kinds) {
      Tensor x = tensor_of({9}, DType::f32, std::vector<double>(9, std::nan("")));
      run_on(queue, Activate{x, x, kind});
      for (const float value : x.values<float>()) CHECK(std::isnan(value));
    }
  });
}

TEST_CASE("activations refuse arguments that do not fit", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({4}, DType::f32), longer({5}, DType::f32), wide({4}, DType::f64), bytes({4}, DType::u8);
  CHECK(refused(queue, Activate{x, longer}));
  CHECK(refused(queue, Activate{x, wide}));
  CHECK(refused(queue, Activate{bytes, bytes}));
  CHECK(refused(queue, Activate{x, View()}));
  CHECK(refused(queue, Activate{x, x, Activation::leaky_relu, -0.1}));
  CHECK(refused(queue, ActivateBackward{x, longer, x}));
  CHECK(refused(queue, ActivateBackward{x, x, wide}));
  CHECK_FALSE(refused(queue, Activate{x, x}));
}
