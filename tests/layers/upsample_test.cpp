#include "../../layers/upsample.h"

#include "../catch.h"
#include "../kernels/oracle.h"
#include "../kernels/random_tensor.h"
#include "one_layer.h"

using namespace ratnet;
using namespace ratnet::testing;
using layers::Upsample;

namespace {

void check_upsampled(const Upsample& layer, const Shape& shape, const Doubles& x,
                     const Doubles& expected) {
  INFO(to_json(layer));
  const Doubles y = output_of(layer, {shape}, {x});
  CHECK(distance(tensor_of({static_cast<std::int64_t>(y.size())}, DType::f64, y), expected) <
        1e-12);
}

}  // namespace

// The images of torch.nn.Upsample in PyTorch's documentation.
TEST_CASE("upsampling of an image is PyTorch's", "[device][small]") {
  const Doubles x{1, 2, 3, 4};
  check_upsampled({}, {1, 2, 2, 1}, x, {1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4});
  check_upsampled({.mode = Interpolation::linear}, {1, 2, 2, 1}, x,
                  {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4});
  const double t = 1.0 / 3;
  check_upsampled({.mode = Interpolation::linear, .align = Alignment::corners}, {1, 2, 2, 1}, x,
                  {1, 1 + t, 1 + 2 * t, 2, 1 + 2 * t, 2, 2 + t, 2 + 2 * t, 2 + t, 2 + 2 * t, 3,
                   3 + t, 3, 3 + t, 3 + 2 * t, 4});
}

TEST_CASE("alignments differ where they should", "[device][small]") {
  const Doubles x{0, 6, 12};
  const auto check = [&](Interpolation mode, Alignment align, const Doubles& expected) {
    check_upsampled({.factor = {2}, .mode = mode, .align = align}, {1, 3, 1}, x, expected);
  };
  check(Interpolation::linear, Alignment::half_pixel, {0, 1.5, 4.5, 7.5, 10.5, 12});
  check(Interpolation::linear, Alignment::corners, {0, 2.4, 4.8, 7.2, 9.6, 12});
  check(Interpolation::linear, Alignment::top_left, {0, 3, 6, 9, 12, 12});
  check(Interpolation::nearest, Alignment::half_pixel, {0, 0, 6, 6, 12, 12});
  check(Interpolation::nearest, Alignment::top_left, {0, 0, 6, 6, 12, 12});
  check(Interpolation::nearest, Alignment::corners, {0, 0, 6, 6, 12, 12});
  // Places 0, 1/3, 2/3, 1 of the corners: rounded, not cut.
  check_upsampled({.align = Alignment::corners}, {1, 2, 1}, {1, 2}, {1, 1, 2, 2});
  // 0, 3/11, 6/11, ...: cut, 6/11 would still be the first pixel.
  check_upsampled({.factor = {3}, .align = Alignment::corners}, {1, 4, 1}, {0, 1, 2, 3},
                  {0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3});
  check_upsampled({.factor = {1}, .mode = Interpolation::linear, .align = Alignment::corners},
                  {1, 1, 1}, {5}, {5});
}

TEST_CASE("upsampling refuses factors that make no sense", "[small]") {
  CHECK(output_shape(Upsample{.factor = {2, 3}}, {{1, 4, 5, 6}}) == Shape{1, 8, 15, 6});
  for (const Sizes& factor : {Sizes{0}, Sizes{-1}, Sizes{2, 2, 2}, Sizes{std::int64_t{1} << 62}})
    CHECK_THROWS_AS(output_shape(Upsample{.factor = factor}, {{1, 4, 5, 6}}), Error);
  CHECK_THROWS_AS(output_shape(Upsample{}, {{1, 4}}), Error);
}
