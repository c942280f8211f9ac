// What the random movements of images are drawn from.
#include "../../imaging/augment_geometry.h"

#include <cmath>
#include <cstring>

#include "../../core/tensor.h"
#include "../catch.h"

using namespace ratnet;

namespace {

const Number3 kCubes{1, 1, 1};

GeometryAugmentation everything() {
  return {.rotation = {10, 20, 30},
          .rotation_chance = 1,
          .scaling = 1.2,
          .scaling_chance = 1,
          .shear = 0.1,
          .shear_chance = 1,
          .mirror = {true, true, true},
          .elastic = 2,
          .elastic_spacing = 8,
          .elastic_chance = 1};
}

}  // namespace

TEST_CASE("no geometric augmentation is the identity to the bit, and each is repeatable") {
  Tensor image({5, 7, 3}, DType::f32), mask({5, 7}, DType::u8);
  Random values(1);
  for (float& value : image.values<float>()) value = static_cast<float>(values.normal());
  const auto run = [&](const GeometryAugmentation& options, std::uint64_t stream) {
    Tensor moved(image.shape(), DType::f32), moved_mask(mask.shape(), DType::u8);
    Random random(2, stream);
    augment_geometry(options, kCubes, image, mask, moved, moved_mask, random);
    return moved;
  };
  const auto same = [](const Tensor& a, const Tensor& b) {
    return std::memcmp(a.data(), b.data(), a.bytes()) == 0;
  };
  CHECK(!GeometryAugmentation{}.any());
  CHECK(everything().any());
  CHECK(same(run({}, 1), image));
  CHECK(same(run(everything(), 1), run(everything(), 1)));
  CHECK(!same(run(everything(), 1), run(everything(), 2)));
}

TEST_CASE("movements have their ranges and chances") {
  GeometryAugmentation options = everything();
  options.rotation_chance = 0.3;
  options.scaling_chance = 0.5;
  options.shear_chance = 0.2;
  options.mirror = {true, false, true};
  options.elastic = 0;
  int rotated = 0, scaled = 0, sheared = 0, mirrored = 0, grown = 0;
  Number3 most{};
  const int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    Random random(3, static_cast<std::uint64_t>(i));
    const Deformation drawn = draw_deformation(options, {.size = {9, 9, 9}}, kCubes, random);
    rotated += drawn.rotation != Number3{};
    scaled += drawn.scale != Number3{1, 1, 1};
    sheared += drawn.shear != Number3{};
    mirrored += drawn.mirror[0];
    grown += drawn.scale[0] > 1;
    REQUIRE(!drawn.mirror[1]);
    REQUIRE(drawn.scale[0] == drawn.scale[1]);
    REQUIRE(drawn.scale[0] == drawn.scale[2]);
    REQUIRE(drawn.scale[0] <= 1.2 + 1e-12);
    REQUIRE(drawn.scale[0] >= 1 / 1.2 - 1e-12);
    for (std::size_t n = 0; n < 3; ++n) {
      most[n] = std::max(most[n], std::abs(drawn.rotation[n]));
      REQUIRE(std::abs(drawn.rotation[n]) <= options.rotation[n]);
      REQUIRE(std::abs(drawn.shear[n]) <= 0.1);
    }
    REQUIRE(drawn.field.coefficients.empty());
  }
  CHECK(std::abs(rotated - draws * 0.3) < 120);
  CHECK(std::abs(scaled - draws * 0.5) < 130);
  CHECK(std::abs(sheared - draws * 0.2) < 105);
  CHECK(std::abs(mirrored - draws * 0.5) < 130);
  CHECK(std::abs(grown - draws * 0.25) < 110);
  for (std::size_t n = 0; n < 3; ++n) CHECK(most[n] > 0.95 * options.rotation[n]);
}

TEST_CASE("factors along the axes differ where that is asked for") {
  GeometryAugmentation options = everything();
  options.same_scaling = false;
  Random random(4);
  const Deformation drawn = draw_deformation(options, {.size = {9, 9, 9}}, kCubes, random);
  CHECK(drawn.scale[0] != drawn.scale[1]);
  CHECK(drawn.scale[1] != drawn.scale[2]);
}

TEST_CASE("the draws of a movement do not depend on values") {
  Tensor dark({6, 6, 6, 1}, DType::f32), bright({6, 6, 6, 1}, DType::f32);
  for (float& value : bright.values<float>()) value = NAN;
  Tensor moved({6, 6, 6, 1}, DType::f32);
  Random one(5), other(5);
  augment_geometry(everything(), kCubes, dark, {}, moved, {}, one);
  augment_geometry(everything(), kCubes, bright, {}, moved, {}, other);
  CHECK(one.bits() == other.bits());
}

TEST_CASE("elastic displacements have the deviation asked for and fold nothing") {
  // The displacement of an image linear in its own place.
  for (const Size3 size : {Size3{1, 41, 43}, Size3{17, 21, 19}}) {
    const ImageGrid grid{.size = size, .channels = 3};
    Tensor place({size[0], size[1], size[2], 3}, DType::f32), moved(place.shape(), DType::f32);
    for (std::int64_t i = 0; i < grid.voxels(); ++i) {
      float* at = place.values<float>().data() + i * 3;
      at[0] = static_cast<float>(i / (size[1] * size[2]));
      at[1] = static_cast<float>(i / size[2] % size[1]);
      at[2] = static_cast<float>(i % size[2]);
    }
    const auto field = [&](double deviation, std::uint64_t stream) {
      GeometryAugmentation options{
          .elastic = deviation, .elastic_spacing = 6, .elastic_chance = 1, .outside = 0};
      Random random(6, stream);
      Deformation drawn = draw_deformation(options, grid, kCubes, random);
      deform(drawn, place, {}, moved, {}, INFINITY);
      return drawn;
    };
    // A deviation that reaches no limit: uniform up to it, so a mean square of a third of its own.
    double squares = 0;
    int count = 0;
    for (std::uint64_t stream = 0; stream < 400; ++stream) {
      field(0.3, stream);
      for (std::int64_t i = 0; i < grid.voxels(); i += 37)
        for (std::int64_t n = 1; n < 3; ++n) {
          const auto at = static_cast<std::size_t>(i * 3 + n);
          const double step = moved.values<float>()[at] - place.values<float>()[at];
          if (!std::isfinite(step)) continue;
          squares += step * step;
          ++count;
        }
    }
    CHECK(squares / count == Approx(0.3 * 0.3 / 3).epsilon(0.12));

    // Far too much: every coefficient at its limit, and still neighbours keep their order.
    for (std::uint64_t stream = 0; stream < 20; ++stream) {
      const Deformation drawn = field(50, stream);
      for (const double x : drawn.field.coefficients) REQUIRE(std::abs(x) <= 0.4 * 6);
      const auto values = moved.values<float>();
      for (std::int64_t d = 0; d + 1 < std::max<std::int64_t>(2, size[0]); ++d)
        for (std::int64_t h = 0; h + 1 < size[1]; ++h)
          for (std::int64_t w = 0; w + 1 < size[2]; ++w) {
            const auto at = [&](std::int64_t i, std::size_t n) {
              return static_cast<double>(values[static_cast<std::size_t>(i * 3) + n]);
            };
            const std::int64_t here = grid.at(d, h, w);
            Number3 rows[3] = {{1, 0, 0}, {}, {}};
            for (std::size_t n = 0; n < 3; ++n) {
              if (size[0] > 1) rows[0][n] = at(grid.at(d + 1, h, w), n) - at(here, n);
              rows[1][n] = at(grid.at(d, h + 1, w), n) - at(here, n);
              rows[2][n] = at(grid.at(d, h, w + 1), n) - at(here, n);
            }
            const double volume = rows[0][0] * (rows[1][1] * rows[2][2] - rows[1][2] * rows[2][1]) -
                                  rows[0][1] * (rows[1][0] * rows[2][2] - rows[1][2] * rows[2][0]) +
                                  rows[0][2] * (rows[1][0] * rows[2][1] - rows[1][1] * rows[2][0]);
            if (std::isfinite(volume)) REQUIRE(volume > 0);
          }
    }
  }
}

TEST_CASE("geometric augmentations that make no sense are refused") {
  check_augmentation(GeometryAugmentation{});
  check_augmentation(everything());
  for (const GeometryAugmentation& wrong :
       {GeometryAugmentation{.rotation = {0, -1, 0}}, GeometryAugmentation{.rotation = {0, 0, 181}},
        GeometryAugmentation{.rotation_chance = 1.1}, GeometryAugmentation{.scaling = 0.9},
        GeometryAugmentation{.scaling = NAN}, GeometryAugmentation{.scaling_chance = -0.1},
        GeometryAugmentation{.shear = -0.1}, GeometryAugmentation{.shear_chance = NAN},
        GeometryAugmentation{.elastic = -1}, GeometryAugmentation{.elastic = INFINITY},
        GeometryAugmentation{.elastic_spacing = 0}, GeometryAugmentation{.elastic_chance = 2},
        GeometryAugmentation{.outside = NAN}})
    CHECK_THROWS_AS(check_augmentation(wrong), Error);
}
