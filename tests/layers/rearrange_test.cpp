// Layers that only move values: concat, crop, pad, reshape.
#include <numeric>

#include "../catch.h"
#include "../kernels/oracle.h"
#include "one_layer.h"

using namespace ratnet;
using namespace ratnet::testing;
using namespace ratnet::layers;

namespace {

Doubles counting(std::size_t n) {
  Doubles values(n);
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

}  // namespace

TEST_CASE("concat puts channels side by side", "[device][small]") {
  CHECK(output_of(Concat{}, {{1, 2, 2}, {1, 2, 1}, {1, 2, 2}},
                  {{1, 2, 3, 4}, {10, 20}, {5, 6, 7, 8}}) ==
        Doubles{1, 2, 10, 5, 6, 3, 4, 20, 7, 8});
  CHECK_THROWS_AS(output_shape(Concat{}, {{1, 2, 2}, {1, 3, 2}}), Error);
  CHECK_THROWS_AS(output_shape(Concat{}, {{1, 2, 2}, {1, 2, 1, 2}}), Error);
  CHECK_THROWS_AS(output_shape(Concat{}, {{1, 2, 2}, {1, 2}}), Error);
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  CHECK_THROWS_AS(output_shape(Concat{}, {{1, 1, kHuge}, {1, 1, kHuge}}), Error);
}

TEST_CASE("crop takes the middle", "[device][small]") {
  CHECK(output_of(Crop{.before = {1, 0}, .after = {0, 1}}, {{1, 3, 3, 1}}, {counting(9)}) ==
        Doubles{3, 4, 6, 7});
  CHECK(output_shape(Crop{.before = {1}}, {{2, 3, 4, 5, 6}}) == Shape{2, 2, 3, 4, 6});
  // One number more: the last channel but one.
  CHECK(output_of(Crop{.before = {1, 1}, .after = {0, 1}}, {{1, 3, 3}}, {counting(9)}) ==
        Doubles{4, 7});
  CHECK(output_shape(Crop{.after = {0, 0, 0, 5}}, {{2, 3, 4, 5, 6}}) == Shape{2, 3, 4, 5, 1});
  CHECK_THROWS_AS(output_shape(Crop{.before = {2}, .after = {1}}, {{1, 3, 1}}), Error);
  CHECK_THROWS_AS(output_shape(Crop{.before = {-1}}, {{1, 3, 1}}), Error);
  CHECK_THROWS_AS(output_shape(Crop{.before = {1, 1}}, {{1, 3, 1}}), Error);
  CHECK_THROWS_AS(output_shape(Crop{.before = {1, 0, 0}}, {{1, 3, 1}}), Error);
  CHECK_THROWS_AS(output_shape(Crop{.after = {std::int64_t{1} << 62}}, {{1, 3, 1}}), Error);
  CHECK_THROWS_AS(output_shape(Crop{}, {{1, 3}}), Error);
}

// The images of torch.nn.ReflectionPad2d and ReplicationPad2d in PyTorch's documentation, for
// torch.arange(9).reshape(1, 1, 3, 3) and padding (1, 1, 2, 0): left, right, top, bottom.
TEST_CASE("pad continues as PyTorch does", "[device][small]") {
  Pad pad{.before = {2, 1}, .after = {0, 1}};
  const auto padded = [&](PadMode mode) {
    pad.mode = mode;
    return output_of(pad, {{1, 3, 3, 1}}, {counting(9)});
  };
  CHECK(padded(PadMode::reflect) == Doubles{7, 6, 7, 8, 7,  //
                                            4, 3, 4, 5, 4,  //
                                            1, 0, 1, 2, 1,  //
                                            4, 3, 4, 5, 4,  //
                                            7, 6, 7, 8, 7});
  CHECK(padded(PadMode::edge) == Doubles{0, 0, 1, 2, 2,  //
                                         0, 0, 1, 2, 2,  //
                                         0, 0, 1, 2, 2,  //
                                         3, 3, 4, 5, 5,  //
                                         6, 6, 7, 8, 8});
  CHECK(padded(PadMode::zero) == Doubles{0, 0, 0, 0, 0,  //
                                         0, 0, 0, 0, 0,  //
                                         0, 0, 1, 2, 0,  //
                                         0, 3, 4, 5, 0,  //
                                         0, 6, 7, 8, 0});
  CHECK(output_shape(Pad{.before = {4}, .mode = PadMode::edge}, {{1, 3, 1}}) == Shape{1, 7, 1});
  CHECK_THROWS_AS(output_shape(Pad{.before = {3}, .mode = PadMode::reflect}, {{1, 3, 1}}), Error);
  CHECK_THROWS_AS(output_shape(Pad{.after = {-1}}, {{1, 3, 1}}), Error);
  CHECK_THROWS_AS(output_shape(Pad{.after = {std::int64_t{1} << 62}}, {{1, 3, 1}}), Error);
}

TEST_CASE("reshape keeps the order in memory", "[device][small]") {
  const Doubles x = counting(24);
  CHECK(output_of(Reshape{.shape = {4, -1}}, {{2, 2, 3, 2}}, {x}) == x);
  CHECK(output_shape(Reshape{.shape = {4, -1}}, {{2, 2, 3, 2}}) == Shape{2, 4, 3});
  CHECK(output_shape(Reshape{}, {{2, 2, 3, 2}}) == Shape{2, 12});
  for (const Sizes& sizes :
       {Sizes{}, Sizes{5}, Sizes{-1, -1}, Sizes{5, -1}, Sizes{0, -1}, Sizes{-2, 6},
        Sizes{1, 1, 1, 1, 1, 12}, Sizes{std::int64_t{1} << 62, 4, -1}})
    CHECK_THROWS_AS(output_shape(Reshape{.shape = sizes}, {{2, 2, 3, 2}}), Error);
}
