#include "../../kernels/bias.h"

#include "../catch.h"
#include "random_tensor.h"
#include "refused.h"
#include "run_on.h"

using namespace ratnet;
using namespace ratnet::testing;

TEST_CASE("a bias with its activation equals the definition", "[device]") {
  const QueueHandle queue = test_queue(2);
  for_each_instruction_set([&](const std::string& set) {
    INFO(set);
    Random random(1);
    for (const DType dtype : {DType::f32, DType::f64})
      for (const Shape& shape : {Shape{1}, Shape{3, 7}, Shape{2, 5, 19}, Shape{2, 130, 90, 3}})
        for (const Activation activation :
             {Activation::none, Activation::relu, Activation::leaky_relu}) {
          Tensor x = random_tensor(shape, dtype, random);
          const Tensor bias = random_tensor({shape.back()}, dtype, random);
          std::vector<double> expected = doubles(x), shifts = doubles(bias);
          for (std::size_t i = 0; i < expected.size(); ++i) {
            expected[i] += shifts[i % shifts.size()];
            if (expected[i] < 0 && activation != Activation::none)
              expected[i] *= activation == Activation::relu ? 0 : 0.25;
          }
          Tensor y(shape, dtype);
          run_on(queue, AddBias{x, bias, y, activation, 0.25});
          CHECK(distance(y, expected) < tolerance(dtype));
          run_on(queue, AddBias{x, bias, x, activation, 0.25});
          CHECK(same_bits(x, y));
          Tensor same(shape, dtype);
          run_on(queue, AddBias{y, {}, same});
          CHECK(same_bits(same, y));
        }
  });
}

TEST_CASE("a bias refuses arguments that do not fit", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  Tensor x({2, 3}, DType::f32), y({2, 3}, DType::f32), two({2}, DType::f32), wide({3}, DType::f64);
  CHECK(refused(queue, AddBias{x, two, y}));
  CHECK(refused(queue, AddBias{x, wide, y}));
  CHECK(refused(queue, AddBias{x, {}, two}));
  CHECK_FALSE(refused(queue, AddBias{x, {}, y}));
}
