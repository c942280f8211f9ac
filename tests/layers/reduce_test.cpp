#include "../../layers/reduce.h"

#include "../catch.h"
#include "../kernels/oracle.h"
#include "one_layer.h"

using namespace ratnet;
using namespace ratnet::testing;
using layers::GlobalPool;

TEST_CASE("global pooling and reductions take what they say", "[device][small]") {
  const Shape shape{2, 2, 2};
  const Doubles x{1, 2, 3, 10, -5, 7, -6, 9};
  const auto reduced = [&](ReduceOver over, Reduction by) {
    return output_of(layers::Reduce{over, by}, {shape}, {x});
  };
  CHECK(output_of(GlobalPool{}, {shape}, {x}) == Doubles{2, 6, -5.5, 8});
  CHECK(output_of(GlobalPool{Reduction::max}, {shape}, {x}) == Doubles{3, 10, -5, 9});
  CHECK(reduced(ReduceOver::spatial, Reduction::sum) == Doubles{4, 12, -11, 16});
  CHECK(reduced(ReduceOver::channels, Reduction::sum) == Doubles{3, 13, 2, 3});
  CHECK(reduced(ReduceOver::channels, Reduction::max) == Doubles{2, 10, 7, 9});
  CHECK(reduced(ReduceOver::sample, Reduction::mean) == Doubles{4, 1.25});
  CHECK(output_shape(layers::Reduce{.over = ReduceOver::channels}, {{3, 4, 5, 6}}) ==
        Shape{3, 4, 5, 1});
  CHECK_THROWS_AS(output_shape(GlobalPool{Reduction::sum}, {shape}), Error);
  CHECK_THROWS_AS(output_shape(GlobalPool{}, {{2, 3}}), Error);
  CHECK_THROWS_AS(output_shape(layers::Reduce{.over = ReduceOver::channels}, {{2}}), Error);
}
