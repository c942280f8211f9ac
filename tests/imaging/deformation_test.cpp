// Turning, stretching, mirroring and displacing images with their masks.
#include "../../imaging/deformation.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

#include "../../core/random.h"
#include "../../core/tensor.h"
#include "../catch.h"

using namespace ratnet;

namespace {

struct Pair {
  Tensor image, mask;
};

Pair noise(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  const auto sizes = shape.sizes();
  Pair pair{Tensor(shape, DType::f32), Tensor(Shape(sizes.first(sizes.size() - 1)), DType::u8)};
  for (float& value : pair.image.values<float>()) value = static_cast<float>(random.normal());
  for (std::uint8_t& label : pair.mask.values<std::uint8_t>())
    label = static_cast<std::uint8_t>(random.integer(4));
  return pair;
}

Pair moved(const Deformation& deformation, const Pair& from, float outside = 0,
           LabelSampling labels = LabelSampling::majority) {
  Pair to{Tensor(from.image.shape(), DType::f32), Tensor(from.mask.shape(), DType::u8)};
  deform(deformation, from.image, from.mask, to.image, to.mask, outside, labels);
  return to;
}

std::size_t index(const ImageGrid& grid, std::int64_t d, std::int64_t h, std::int64_t w,
                  std::int64_t c) {
  return static_cast<std::size_t>(grid.at(d, h, w) * grid.channels + c);
}

bool same(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

// A ball of radius 5 mm, image 1 and label 2, about a point given in mm from the centre.
Pair ball(const Size3& size, const Number3& spacing, const Number3& centre) {
  Pair pair{Tensor({size[0], size[1], size[2], 1}, DType::f32),
            Tensor({size[0], size[1], size[2]}, DType::u8)};
  std::size_t i = 0;
  for (std::int64_t d = 0; d < size[0]; ++d)
    for (std::int64_t h = 0; h < size[1]; ++h)
      for (std::int64_t w = 0; w < size[2]; ++w, ++i) {
        const std::int64_t at[] = {d, h, w};
        double square = 0;
        for (std::size_t n = 0; n < 3; ++n) {
          const double x =
              (static_cast<double>(at[n]) - static_cast<double>(size[n] - 1) / 2) * spacing[n] -
              centre[n];
          square += x * x;
        }
        if (square > 25) continue;
        pair.image.values<float>()[i] = 1;
        pair.mask.values<std::uint8_t>()[i] = 2;
      }
  return pair;
}

// The centre of mass, in mm from the image's centre.
template <class T>
Number3 centre_of(const Tensor& tensor, const Size3& size, const Number3& spacing) {
  Number3 sum{};
  double all = 0;
  std::size_t i = 0;
  for (std::int64_t d = 0; d < size[0]; ++d)
    for (std::int64_t h = 0; h < size[1]; ++h)
      for (std::int64_t w = 0; w < size[2]; ++w, ++i) {
        const auto weight = static_cast<double>(tensor.values<T>()[i]);
        const std::int64_t at[] = {d, h, w};
        for (std::size_t n = 0; n < 3; ++n)
          sum[n] += weight * spacing[n] *
                    (static_cast<double>(at[n]) - static_cast<double>(size[n] - 1) / 2);
        all += weight;
      }
  for (double& x : sum) x /= all;
  return sum;
}

// The map of deformation.h written down a second time, and forwards.
using Matrix = std::array<Number3, 3>;  // rows

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
  return c;
}

Matrix forward_matrix(const Deformation& x) {
  Matrix all{{{x.scale[0], 0, 0}, {0, x.scale[1], 0}, {0, 0, x.scale[2]}}};
  all = product({{{1, 0, 0}, {x.shear[0], 1, 0}, {x.shear[1], x.shear[2], 1}}}, all);
  const double turn = std::numbers::pi / 180;
  const double a = x.rotation[0] * turn, b = x.rotation[1] * turn, c = x.rotation[2] * turn;
  all = product({{{1, 0, 0}, {0, std::cos(a), -std::sin(a)}, {0, std::sin(a), std::cos(a)}}}, all);
  all = product({{{std::cos(b), 0, std::sin(b)}, {0, 1, 0}, {-std::sin(b), 0, std::cos(b)}}}, all);
  return product({{{std::cos(c), -std::sin(c), 0}, {std::sin(c), std::cos(c), 0}, {0, 0, 1}}}, all);
}

Number3 times(const Matrix& m, const Number3& v) {
  Number3 out{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) out[i] += m[i][j] * v[j];
  return out;
}

}  // namespace

TEST_CASE("no deformation is the identity to the bit") {
  for (const Shape& shape :
       {Shape{7, 5, 2}, Shape{3, 7, 5, 1}, Shape{1, 1, 1}, Shape{1, 1, 1, 3}}) {
    Pair from = noise(shape, 1);
    from.image.values<float>()[0] = -0.0f;
    const Pair to = moved({}, from);
    CHECK(same(to.image, from.image));
    CHECK(same(to.mask, from.mask));
  }
}

TEST_CASE("mirroring is exact along every axis, whatever the values") {
  Pair from = noise({3, 4, 5, 2}, 2);
  from.image.values<float>()[17] = std::numeric_limits<float>::infinity();
  const ImageGrid grid = image_grid("test", from.image);
  for (unsigned axes = 1; axes < 8; ++axes) {
    const std::array<bool, 3> mirror{(axes & 4) != 0, (axes & 2) != 0, (axes & 1) != 0};
    const Pair to = moved({.mirror = mirror}, from);
    for (std::int64_t d = 0; d < 3; ++d)
      for (std::int64_t h = 0; h < 4; ++h)
        for (std::int64_t w = 0; w < 5; ++w) {
          const std::int64_t at_d = mirror[0] ? 2 - d : d, at_h = mirror[1] ? 3 - h : h,
                             at_w = mirror[2] ? 4 - w : w;
          for (std::int64_t c = 0; c < 2; ++c)
            REQUIRE(to.image.values<float>()[index(grid, d, h, w, c)] ==
                    from.image.values<float>()[index(grid, at_d, at_h, at_w, c)]);
          REQUIRE(to.mask.values<std::uint8_t>()[static_cast<std::size_t>(grid.at(d, h, w))] ==
                  from.mask
                      .values<std::uint8_t>()[static_cast<std::size_t>(grid.at(at_d, at_h, at_w))]);
        }
  }
}

TEST_CASE("right angles are exact transpositions about every axis") {
  const std::int64_t n = GENERATE(1, 2, 5, 8);
  const LabelSampling labels = GENERATE(LabelSampling::majority, LabelSampling::nearest);
  const Pair from = noise({n, n, n, 2}, 3);
  const ImageGrid grid = image_grid("test", from.image);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Deformation turn;
    turn.rotation[axis] = 90;
    const Pair to = moved(turn, from, -7, labels);
    // What lies along the next axis is turned to the one after it.
    const std::size_t a = (axis + 1) % 3, b = (axis + 2) % 3;
    for (std::int64_t d = 0; d < n; ++d)
      for (std::int64_t h = 0; h < n; ++h)
        for (std::int64_t w = 0; w < n; ++w) {
          const Size3 here{d, h, w};
          Size3 there = here;
          there[a] = here[b];
          there[b] = n - 1 - here[a];
          for (std::int64_t c = 0; c < 2; ++c)
            REQUIRE(to.image.values<float>()[index(grid, d, h, w, c)] ==
                    from.image.values<float>()[index(grid, there[0], there[1], there[2], c)]);
          REQUIRE(to.mask.values<std::uint8_t>()[static_cast<std::size_t>(grid.at(d, h, w))] ==
                  from.mask.values<std::uint8_t>()[static_cast<std::size_t>(
                      grid.at(there[0], there[1], there[2]))]);
        }
  }
}

TEST_CASE("an image turns in its plane only") {
  const Pair from = noise({5, 5, 1}, 4);
  const Pair tilted = moved({.scale = {3, 1, 1}, .rotation = {0, 40, 30}}, from);
  CHECK(same(tilted.image, from.image));
  const Pair turned = moved({.rotation = {90, 0, 0}}, from);
  for (std::size_t h = 0; h < 5; ++h)
    for (std::size_t w = 0; w < 5; ++w)
      CHECK(turned.image.values<float>()[h * 5 + w] == from.image.values<float>()[w * 5 + (4 - h)]);
}

TEST_CASE("every voxel is where a map written down a second time puts it") {
  const Number3 spacing{3, 1, 0.5};
  const Deformation how{.spacing = spacing,
                        .scale = {1.1, 0.9, 1.3},
                        .shear = {0.1, -0.2, 0.15},
                        .rotation = {20, -35, 50}};
  const Matrix forward = forward_matrix(how);
  // An image that is linear in mm is interpolated without error, so its value tells the place.
  Pair from{Tensor({7, 11, 13, 3}, DType::f32), Tensor({7, 11, 13}, DType::u8)};
  const ImageGrid grid = image_grid("test", from.image);
  const auto millimetres = [&](std::int64_t d, std::int64_t h, std::int64_t w) {
    return Number3{(static_cast<double>(d) - 3) * 3, static_cast<double>(h) - 5,
                   (static_cast<double>(w) - 6) * 0.5};
  };
  for (std::int64_t d = 0; d < 7; ++d)
    for (std::int64_t h = 0; h < 11; ++h)
      for (std::int64_t w = 0; w < 13; ++w)
        for (std::int64_t c = 0; c < 3; ++c)
          from.image.values<float>()[index(grid, d, h, w, c)] =
              static_cast<float>(millimetres(d, h, w)[static_cast<std::size_t>(c)]);
  const Pair to = moved(how, from, INFINITY);
  int inside = 0;
  for (std::int64_t d = 0; d < 7; ++d)
    for (std::int64_t h = 0; h < 11; ++h)
      for (std::int64_t w = 0; w < 13; ++w) {
        const float* seen = to.image.values<float>().data() + index(grid, d, h, w, 0);
        if (!std::isfinite(seen[0])) continue;  // touches the outside
        ++inside;
        const Number3 back = times(forward, {seen[0], seen[1], seen[2]});
        for (std::size_t n = 0; n < 3; ++n)
          REQUIRE(back[n] == Approx(millimetres(d, h, w)[n]).margin(1e-4));
      }
  CHECK(inside > 100);
}

TEST_CASE("a ball of anisotropic voxels goes with its mask where the movement says") {
  const Size3 size{27, 51, 71};
  const Number3 spacing{1.5, 0.8, 0.6}, start{6, -5, 8};
  const Pair from = ball(size, spacing, start);
  const auto volume = [](const Tensor& mask) {
    double sum = 0;
    for (const std::uint8_t label : mask.values<std::uint8_t>()) sum += label == 2;
    return sum;
  };
  const Deformation cases[] = {
      {.spacing = spacing, .rotation = {37, 0, 0}},
      {.spacing = spacing, .rotation = {0, 25, 0}},
      {.spacing = spacing, .rotation = {10, 15, -80}},
      {.spacing = spacing, .scale = {1.2, 1.2, 1.2}, .rotation = {5, 0, 0}},
      {.spacing = spacing, .shear = {0.2, 0.1, -0.3}, .mirror = {true, false, true}},
  };
  for (const Deformation& how : cases) {
    Number3 wanted = times(forward_matrix(how), start);
    for (std::size_t n = 0; n < 3; ++n)
      if (how.mirror[n]) wanted[n] = -wanted[n];
    for (const LabelSampling labels : {LabelSampling::majority, LabelSampling::nearest}) {
      const Pair to = moved(how, from, 0, labels);
      const Number3 image = centre_of<float>(to.image, size, spacing);
      const Number3 mask = centre_of<std::uint8_t>(to.mask, size, spacing);
      for (std::size_t n = 0; n < 3; ++n) {
        CHECK(image[n] == Approx(wanted[n]).margin(0.15));
        CHECK(mask[n] == Approx(wanted[n]).margin(spacing[n] / 4));
      }
      const double growth = how.scale[0] * how.scale[1] * how.scale[2];
      CHECK(volume(to.mask) == Approx(growth * volume(from.mask)).epsilon(0.06));
    }
    // With two labels the majority is where the interpolated image is above half.
    const Pair to = moved(how, from);
    for (std::size_t i = 0; i < to.mask.values<std::uint8_t>().size(); ++i) {
      const double value = to.image.values<float>()[i];
      if (std::abs(value - 0.5) > 1e-6)
        REQUIRE((to.mask.values<std::uint8_t>()[i] == 2) == (value > 0.5));
    }
  }
}

TEST_CASE("of lesions of one voxel that move by a part of one, as many stay as the header says") {
  constexpr int kSteps = 10;
  for (const bool volume : {false, true}) {
    const Shape shape = volume ? Shape{3, 3, 3, 1} : Shape{3, 3, 1};
    Pair from{Tensor(shape, DType::f32), Tensor(shape.without_last(), DType::u8)};
    auto labels = from.mask.values<std::uint8_t>();
    labels[labels.size() / 2] = 1;
    const ImageGrid grid = image_grid("test", from.image);
    Deformation shift{.field = {.spacing = 9}};
    const Size3 knots = knots_of(grid, shift.spacing, shift.field.spacing);
    std::int64_t moves = 0, lost = 0;
    for (int d = 0; d < (volume ? kSteps : 1); ++d)
      for (int h = 0; h < kSteps; ++h)
        for (int w = 0; w < kSteps; ++w, ++moves) {
          shift.field.coefficients.clear();
          for (std::int64_t knot = 0; knot < knots[0] * knots[1] * knots[2]; ++knot)
            for (const int part : {d, h, w})
              shift.field.coefficients.push_back((part + 0.5) / kSteps - 0.5);
          const auto left = [&](LabelSampling how) {
            const Pair to = moved(shift, from, 0, how);
            int sum = 0;
            for (const std::uint8_t label : to.mask.values<std::uint8_t>()) sum += label;
            return sum;
          };
          REQUIRE(left(LabelSampling::nearest) == 1);
          lost += left(LabelSampling::majority) == 0;
        }
    const double share = static_cast<double>(lost) / static_cast<double>(moves);
    CHECK(share == Approx(volume ? 0.73 : 0.39).margin(0.02));
  }
}

TEST_CASE("outside lies the constant with label 0, and no other label is invented") {
  Pair from = noise({9, 9, 1}, 5);
  for (float& value : from.image.values<float>()) value = 4;
  for (std::size_t i = 0; i < 81; ++i)
    from.mask.values<std::uint8_t>()[i] = i % 2 ? std::uint8_t{3} : std::uint8_t{200};
  const Pair to = moved({.scale = {1, 0.5, 0.5}}, from, 4);
  for (const float value : to.image.values<float>()) CHECK(value == 4);
  CHECK(to.mask.values<std::uint8_t>()[0] == 0);
  CHECK(to.mask.values<std::uint8_t>()[40] == 200);
  for (const std::uint8_t label : to.mask.values<std::uint8_t>())
    CHECK((label == 0 || label == 3 || label == 200));
  CHECK(moved({.scale = {1, 0.5, 0.5}}, from, -1).image.values<float>()[0] == -1);
}

TEST_CASE("a mask is optional and the image the same without it") {
  const Pair from = noise({6, 7, 8, 1}, 6);
  const Deformation how{.rotation = {10, 20, 30}};
  const Pair both = moved(how, from);
  Tensor alone(from.image.shape(), DType::f32);
  deform(how, from.image, {}, alone, {});
  CHECK(same(alone, both.image));
}

TEST_CASE("a displacement field is the cubic B-spline of its coefficients") {
  Pair place = noise({4, 9, 10, 3}, 8);
  const ImageGrid grid = image_grid("test", place.image);
  for (std::int64_t i = 0; i < grid.voxels(); ++i) {
    place.image.values<float>()[static_cast<std::size_t>(i * 3)] = static_cast<float>(i / 90);
    place.image.values<float>()[static_cast<std::size_t>(i * 3 + 1)] =
        static_cast<float>(i / 10 % 9);
    place.image.values<float>()[static_cast<std::size_t>(i * 3 + 2)] = static_cast<float>(i % 10);
  }
  Deformation how{.spacing = {2, 1, 1.5}, .field = {.spacing = 3.7}};
  const Size3 knots = knots_of(grid, how.spacing, 3.7);
  CHECK(knots == Size3{1 + 4, 2 + 4, 3 + 4});
  Random random(9);
  how.field.coefficients.resize(static_cast<std::size_t>(knots[0] * knots[1] * knots[2] * 3));
  for (double& x : how.field.coefficients) x = random.uniform(-0.8, 0.8);
  const Pair to = moved(how, place, INFINITY);
  // The basis by its convolution formula on |x| < 2.
  const auto basis = [](double x) {
    x = std::abs(x);
    return x < 1 ? 2.0 / 3 - x * x + x * x * x / 2 : x < 2 ? std::pow(2 - x, 3) / 6 : 0;
  };
  int inside = 0;
  for (std::int64_t d = 0; d < 4; ++d)
    for (std::int64_t h = 0; h < 9; ++h)
      for (std::int64_t w = 0; w < 10; ++w) {
        Number3 wanted{static_cast<double>(d), static_cast<double>(h), static_cast<double>(w)};
        for (std::int64_t i = 0; i < knots[0]; ++i)
          for (std::int64_t j = 0; j < knots[1]; ++j)
            for (std::int64_t k = 0; k < knots[2]; ++k) {
              const double weight =
                  basis(static_cast<double>(d) * 2 / 3.7 - static_cast<double>(i - 1)) *
                  basis(static_cast<double>(h) / 3.7 - static_cast<double>(j - 1)) *
                  basis(static_cast<double>(w) * 1.5 / 3.7 - static_cast<double>(k - 1));
              for (std::size_t n = 0; n < 3; ++n)
                wanted[n] += weight / how.spacing[n] *
                             how.field.coefficients[static_cast<std::size_t>(
                                                        ((i * knots[1] + j) * knots[2] + k) * 3) +
                                                    n];
            }
        const float* seen = to.image.values<float>().data() + index(grid, d, h, w, 0);
        if (!std::isfinite(seen[0])) continue;  // touches the outside
        ++inside;
        for (std::size_t n = 0; n < 3; ++n) REQUIRE(seen[n] == Approx(wanted[n]).margin(1e-5));
      }
  CHECK(inside > 100);
}

TEST_CASE("movements that make no sense are refused") {
  Pair from = noise({5, 6, 1}, 10), to = noise({5, 6, 1}, 11);
  const auto run = [&](const Deformation& how) { moved(how, from); };
  CHECK_THROWS_AS(run({.spacing = {0, 1, 1}}), Error);
  CHECK_THROWS_AS(run({.scale = {1, -1, 1}}), Error);
  CHECK_THROWS_AS(run({.scale = {1, NAN, 1}}), Error);
  CHECK_THROWS_AS(run({.shear = {0, INFINITY, 1}}), Error);
  CHECK_THROWS_AS(run({.rotation = {NAN, 0, 0}}), Error);
  CHECK_THROWS_AS(run({.field = {.spacing = 2, .coefficients = {1, 2, 3}}}), Error);
  CHECK_THROWS_AS(run({.field = {.spacing = 0, .coefficients = {1, 2, 3}}}), Error);
  CHECK_THROWS_AS(run({.field = {.spacing = 1e-300, .coefficients = {1, 2, 3}}}), Error);
  CHECK_THROWS_AS(deform({}, from.image, {}, from.image, {}), Error);
  CHECK_THROWS_AS(deform({}, from.image, from.mask, to.image, from.mask), Error);
  CHECK_THROWS_AS(deform({}, from.image, from.mask, to.image, {}), Error);
  CHECK_THROWS_AS(deform({}, from.image, {}, noise({6, 5, 1}, 1).image, {}), Error);
  CHECK_THROWS_AS(deform({}, from.image, noise({6, 5, 1}, 1).mask, to.image, to.mask), Error);
}
