// Images and volumes as three axes; the stream of a sample.
#include "../../core/image_grid.h"

#include "../../core/random.h"
#include "../../core/tensor.h"
#include "../catch.h"

using namespace ratnet;

TEST_CASE("an image is a volume of depth 1") {
  const Tensor image({3, 5, 2}, DType::f32), volume({7, 3, 5, 1}, DType::f32);
  CHECK(image_grid("test", image).size == Size3{1, 3, 5});
  CHECK(image_grid("test", image).channels == 2);
  CHECK(image_grid("test", volume).size == Size3{7, 3, 5});
  CHECK(image_grid("test", volume).voxels() == 105);
  CHECK(image_grid("test", volume).at(2, 1, 4) == 2 * 15 + 5 + 4);
  check_mask("test", image, Tensor({3, 5}, DType::u8));
  check_mask("test", volume, Tensor({7, 3, 5}, DType::u8));
}

TEST_CASE("what is no image or no mask of it is refused") {
  const Tensor image({3, 5, 2}, DType::f32);
  CHECK_THROWS_AS(image_grid("test", ConstView{}), Error);
  CHECK_THROWS_AS(image_grid("test", Tensor({3, 5}, DType::f32)), Error);
  CHECK_THROWS_AS(image_grid("test", Tensor({3, 5, 1}, DType::u8)), Error);
  CHECK_THROWS_AS(image_grid("test", Tensor({3, 0, 1}, DType::f32)), Error);
  CHECK_THROWS_AS(check_mask("test", image, Tensor({5, 3}, DType::u8)), Error);
  CHECK_THROWS_AS(check_mask("test", image, Tensor({3, 5}, DType::f32)), Error);
  CHECK_THROWS_AS(check_mask("test", image, Tensor({1, 3, 5}, DType::u8)), Error);
  CHECK_THROWS_AS(check_mask("test", image, ConstView{}), Error);
}

TEST_CASE("every sample, epoch, use and seed has a stream of its own") {
  const auto first = [](Random random) { return random.bits(); };
  const std::uint32_t one = first(random_for(1, 2, 3));
  CHECK(one == first(random_for(1, 2, 3)));
  CHECK(one != first(random_for(2, 2, 3)));
  CHECK(one != first(random_for(1, 3, 3)));
  CHECK(one != first(random_for(1, 2, 4)));
  CHECK(one != first(random_for(1, 2, 3 + (std::int64_t{1} << 32))));
  CHECK(one != first(random_for(1, 2, 3, 1)));
}
