#include "../../kernels/activation.h"

#include "../catch.h"
#include "oracle.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

double activated(double x, Activation activation, double slope) {
  switch (activation) {
    case Activation::relu: return x < 0 ? 0 : x;
    case Activation::leaky_relu: return x < 0 ? slope * x : x;
    case Activation::elu: return x > 0 ? x : slope * (std::exp(x) - 1);
    case Activation::sigmoid: return 1 / (1 + std::exp(-x));
    case Activation::tanh: return (std::exp(x) - std::exp(-x)) / (std::exp(x) + std::exp(-x));
    case Activation::softplus: return std::log(1 + std::exp(x));
    default: return x;
  }
}

// In x, from the textbook: the operation has it from y.
double derivative(double x, Activation activation, double slope) {
  switch (activation) {
    case Activation::relu: return x > 0 ? 1 : 0;
    case Activation::leaky_relu: return x > 0 ? 1 : slope;
    case Activation::elu: return x > 0 ? 1 : slope * std::exp(x);
    case Activation::sigmoid: return std::exp(-x) / std::pow(1 + std::exp(-x), 2);
    case Activation::tanh: return std::pow(2 / (std::exp(x) + std::exp(-x)), 2);
    case Activation::softplus: return 1 / (1 + std::exp(-x));
    default: return 1;
  }
}

const Activation corners[] = {Activation::none, Activation::relu, Activation::leaky_relu};
const Activation curves[] = {Activation::elu, Activation::sigmoid, Activation::tanh,
                             Activation::softplus};
const Activation kinds[] = {Activation::none,    Activation::relu,    Activation::leaky_relu,
                            Activation::elu,     Activation::sigmoid, Activation::tanh,
                            Activation::softplus};
const std::int64_t sizes[] = {1, 2, 3, 5, 7, 8, 13, 16, 31, 64, 70, 32768, 70001};

}  // namespace

TEST_CASE("activations with a corner and their derivatives equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  const double slope = 0.125;  // exact, so that both sides round alike
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(1);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Activation kind : corners)
        for (const std::int64_t n : sizes) {
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

TEST_CASE("smooth activations and their derivatives equal the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  const double alpha = 0.7;
  for_each_instruction_set([&](const std::string& set) {
    Random random(3);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Activation kind : curves)
        for (const std::int64_t n : sizes) {
          INFO(set << " " << kActivationNames[static_cast<int>(kind)] << " of " << n);
          Tensor x = random_tensor({n}, dtype, random, n % 2 ? -3 : -20, n % 2 ? 3 : 20);
          visit(x, [](auto values) {
            if (values.size() > 4) values[3] = 0;
          });
          const Tensor dy = random_tensor({n}, dtype, random);
          Tensor y({n}, dtype), dx({n}, dtype), alone({1}, dtype);
          run_on(queue, Activate{x, y, kind, alpha});
          run_on(queue, ActivateBackward{y, dy, dx, kind, alpha});
          std::vector<double> expected = doubles(x), gradient = doubles(dy);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            gradient[i] *= derivative(expected[i], kind, alpha);
            expected[i] = activated(expected[i], kind, alpha);
          }
          CHECK(distance(y, expected) < tolerance(dtype));
          CHECK(distance(dx, gradient) < tolerance(dtype));
          // The same bits wherever in a vector an element stands.
          run_on(queue, Activate{tensor_of({1}, dtype, {doubles(x)[0]}), alone, kind, alpha});
          CHECK(doubles(alone)[0] == doubles(y)[0]);
        }
  });
}

TEST_CASE("smooth activations end at their limits", "[device]") {
  const QueueHandle queue = test_queue(1);
  const double inf = std::numeric_limits<double>::infinity();
  struct Case {
    Activation activation;
    double at_low, slope_at_low;  // at -1000, -3e38, -infinity
    double slope_at_high;
  };
  const Case cases[] = {{Activation::elu, -0.5, 0, 1},
                        {Activation::sigmoid, 0, 0, 0},
                        {Activation::tanh, -1, 0, 0},
                        {Activation::softplus, 0, 0, 1}};
  for_each_instruction_set([&](const std::string& set) {
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Case& c : cases) {
        INFO(set << " " << kActivationNames[static_cast<int>(c.activation)]);
        const Tensor x = tensor_of({6}, dtype, {-1000, -3e38, -inf, 1000, 3e38, inf});
        const Tensor ones = tensor_of({6}, dtype, std::vector<double>(6, 1.0));
        Tensor y({6}, dtype), dx({6}, dtype);
        run_on(queue, Activate{x, y, c.activation, 0.5});
        run_on(queue, ActivateBackward{y, ones, dx, c.activation, 0.5});
        const bool flat = c.slope_at_high == 0;
        for (std::size_t i = 0; i < 3; ++i) {
          CHECK(doubles(y)[i] == c.at_low);
          CHECK(doubles(dx)[i] == c.slope_at_low);
          CHECK(doubles(y)[3 + i] == (flat ? 1 : doubles(x)[3 + i]));
          CHECK(doubles(dx)[3 + i] == c.slope_at_high);
        }
      }
  });
}

TEST_CASE("smooth activations keep their digits where they are small", "[device]") {
  const QueueHandle queue = test_queue(1);
  struct Case {
    Activation activation;
    double x, y;  // to the second order of the small number
  };
  const Case cases[] = {{Activation::elu, -1e-5, 0.5 * (-1e-5 + 0.5e-10)},
                        {Activation::sigmoid, -60, std::exp(-60.0)},
                        {Activation::tanh, 1e-4, 1e-4 - 1e-12 / 3},
                        {Activation::tanh, -1e-4, -1e-4 + 1e-12 / 3},
                        {Activation::softplus, -60, std::exp(-60.0)}};
  for_each_instruction_set([&](const std::string& set) {
    for (const Case& c : cases) {
      INFO(set << " " << kActivationNames[static_cast<int>(c.activation)]);
      Tensor y = tensor_of({5}, DType::f32, std::vector<double>(5, c.x));
      run_on(queue, Activate{y, y, c.activation, 0.5});
      for (const double value : doubles(y)) CHECK(std::abs(value / c.y - 1) < 1e-6);
      Tensor dx = tensor_of({5}, DType::f32, std::vector<double>(5, 1.0));
      run_on(queue, ActivateBackward{y, dx, dx, c.activation, 0.5});
      const double slope = derivative(c.x, c.activation, 0.5);
      for (const double value : doubles(dx)) CHECK(std::abs(value / slope - 1) < 1e-6);
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
      if (kind == Activation::none || kind == Activation::relu || kind == Activation::leaky_relu)
        continue;  // of these the derivative is a constant on either side
      Tensor dx = tensor_of({9}, DType::f32, std::vector<double>(9, 1.0));
      run_on(queue, ActivateBackward{x, dx, dx, kind});
      for (const float value : dx.values<float>()) CHECK(std::isnan(value));
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
  CHECK(refused(queue, Activate{x, x, Activation::elu, -0.1}));
  CHECK(refused(queue, Activate{x, x, Activation::elu, std::nan("")}));
  CHECK(refused(queue, Activate{x, x, static_cast<Activation>(99)}));
  CHECK_FALSE(refused(queue, Activate{x, x, Activation::sigmoid, -0.1}));
  CHECK(refused(queue, ActivateBackward{x, longer, x}));
  CHECK(refused(queue, ActivateBackward{x, x, wide}));
  CHECK_FALSE(refused(queue, Activate{x, x}));
}

TEST_CASE("no operation ends with an activation that it does not know", "[device]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({1, 3, 2}, DType::f32), weight({1, 2, 2}, DType::f32), rows({3, 2}, DType::f32);
  Tensor matrix({2, 2}, DType::f32), out({1, 3, 2}, DType::f32), rows_out({3, 2}, DType::f32);
  Window window;
  window.rank = 1;
  for (const Activation kind : kinds) {
    const bool unknown = kind > Activation::leaky_relu;
    CHECK(refused(queue,
                  Conv{.x = x, .weight = weight, .y = out, .window = window, .activation = kind}) ==
          unknown);
    CHECK(refused(queue, Dense{.x = rows, .weight = matrix, .y = rows_out, .activation = kind}) ==
          unknown);
    CHECK(refused(queue, Add{rows, rows, rows_out, kind}) == unknown);
  }
}
