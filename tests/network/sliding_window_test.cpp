// Networks of patches run over whole images.
#include "../../network/sliding_window.h"

#include <cmath>
#include <cstring>

#include "../../core/image_grid.h"
#include "../../core/random.h"
#include "../../layers/conv.h"
#include "../../network/predictor.h"
#include "../catch.h"

using namespace ratnet;

namespace {

Tensor noise(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  Tensor t(shape, DType::f32);
  for (float& value : t.values<float>()) value = static_cast<float>(random.normal());
  return t;
}

void copy(const ConstView& patches, const View& outputs) {
  REQUIRE(patches.shape == outputs.shape);
  std::memcpy(outputs.data, patches.data, patches.bytes());
}

bool same(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.bytes()) == 0;
}

double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double most = 0;
  for (std::size_t i = 0; i < a.values<float>().size(); ++i)
    most = std::max(most, std::abs(double{a.values<float>()[i]} - b.values<float>()[i]));
  return most;
}

// Mirrored along axis 0, 1 or 2 of D, H, W.
Tensor mirrored(const Tensor& t, std::size_t axis) {
  const ImageGrid grid = image_grid("test", t);
  Tensor out(t.shape(), DType::f32);
  for (std::int64_t d = 0; d < grid.size[0]; ++d)
    for (std::int64_t h = 0; h < grid.size[1]; ++h)
      for (std::int64_t w = 0; w < grid.size[2]; ++w) {
        Size3 from{d, h, w};
        from[axis] = grid.size[axis] - 1 - from[axis];
        for (std::int64_t c = 0; c < grid.channels; ++c)
          out.values<float>()[static_cast<std::size_t>(grid.at(d, h, w) * grid.channels + c)] =
              t.values<float>()[static_cast<std::size_t>(
                  grid.at(from[0], from[1], from[2]) * grid.channels + c)];
      }
  return out;
}

// What a network says that sees where a voxel lies in its patch: the place's number, [n, ..., 1].
void place_in_patch(const ConstView& patches, const View& outputs) {
  const std::int64_t one = outputs.count() / outputs.shape[0];
  for (std::int64_t i = 0; i < outputs.count(); ++i)
    outputs.as<float>()[i] = static_cast<float>(i % one + 1);
  REQUIRE(patches.shape[0] == outputs.shape[0]);
}

}  // namespace

TEST_CASE("a network that says what it sees gives back the image, of any size") {
  struct Case {
    Shape image;
    std::vector<std::int64_t> patch;
  };
  const Case cases[] = {
      {{13, 17, 2}, {4, 6}},      {{13, 17, 2}, {13, 17}},    {{1, 1, 1}, {1, 1}},
      {{3, 2, 1}, {8, 5}},        {{7, 11, 5, 2}, {3, 4, 5}}, {{7, 11, 5, 2}, {8, 4, 8}},
      {{1, 11, 5, 1}, {1, 4, 2}}, {{3, 7, 9, 2}, {4, 4}},     {{2, 3, 3, 1}, {1, 1, 1}}};
  for (const Case& c : cases)
    for (const double overlap : {0.0, 0.5, 0.9})
      for (const double sigma : {0.0, 0.125}) {
        INFO(c.image << " overlap " << overlap << " sigma " << sigma);
        const Tensor image = noise(c.image, 1);
        const SlidingWindow window{.patch = c.patch,
                                   .overlap = overlap,
                                   .sigma = sigma,
                                   .flips = {true, true, true},
                                   .batch = 3};
        CHECK(difference(slide(window, image, c.image.back(), copy), image) < 5e-6);
      }
}

TEST_CASE("a voxel is the weighted mean of what its patches say, against sums in double") {
  // Patches of 5 every 3 voxels or nearer: starts 0, 3, 5 (of 10), along W 0, 2 (of 7).
  const Tensor image({10, 7, 1}, DType::f32);
  const Tensor result = slide({.patch = {5, 5}, .overlap = 0.4}, image, 1, place_in_patch);
  const std::int64_t rows[] = {0, 3, 5}, columns[] = {0, 2};
  const auto bell = [](std::int64_t i) {
    const double x = (static_cast<double>(i) - 2) / (5.0 / 8);
    return std::exp(-x * x / 2);
  };
  for (std::int64_t h = 0; h < 10; ++h)
    for (std::int64_t w = 0; w < 7; ++w) {
      double sum = 0, weights = 0;
      for (const std::int64_t row : rows)
        for (const std::int64_t column : columns) {
          const std::int64_t i = h - row, j = w - column;
          if (i < 0 || i >= 5 || j < 0 || j >= 5) continue;
          weights += bell(i) * bell(j);
          sum += bell(i) * bell(j) * static_cast<double>(i * 5 + j + 1);
        }
      REQUIRE(result.values<float>()[static_cast<std::size_t>(h * 7 + w)] ==
              Approx(sum / weights).epsilon(1e-6));
    }
}

TEST_CASE("the result does not depend on the batch, and no batch is larger than asked for") {
  const Tensor image = noise({6, 9, 10, 2}, 2);
  SlidingWindow window{.patch = {4, 4, 4}, .flips = {false, true, true}, .batch = 1};
  const auto squares = [&](const ConstView& patches, const View& outputs) {
    REQUIRE(patches.shape[0] <= window.batch);
    REQUIRE(patches.shape == Shape{patches.shape[0], 4, 4, 4, 2});
    REQUIRE(outputs.shape == Shape{patches.shape[0], 4, 4, 4, 3});
    for (std::int64_t i = 0; i < outputs.count(); ++i) {
      const float value = patches.as<float>()[i / 3 * 2 + i % 2];
      outputs.as<float>()[i] = value * value + static_cast<float>(i % 3);
    }
  };
  const Tensor one = slide(window, image, 3, squares);
  CHECK(one.shape() == Shape{6, 9, 10, 3});
  for (const std::int64_t batch : {2, 7, 1000000}) {
    window.batch = batch;
    CHECK(same(slide(window, image, 3, squares), one));
  }
}

TEST_CASE("with flips a mirrored image has the mirrored result, without them it has not") {
  const Tensor image = noise({6, 8, 15, 1}, 3);  // along W starts 0, 2.5, 5, 7.5, 10, rounded
  // The voxel before in all three directions: as one-sided as can be, along every axis.
  const auto one_sided = [](const ConstView& patches, const View& outputs) {
    const std::int64_t one = 4 * 4 * 5;
    for (std::int64_t i = 0; i < outputs.count(); ++i)
      outputs.as<float>()[i] =
          patches.as<float>()[i / one * one + std::max<std::int64_t>(i % one - 1 - 5 - 20, 0)];
  };
  for (std::size_t axis = 0; axis < 3; ++axis) {
    SlidingWindow window{.patch = {4, 4, 5}, .overlap = 0.4};
    const auto equivariant = [&] {
      return difference(mirrored(slide(window, image, 1, one_sided), axis),
                        slide(window, mirrored(image, axis), 1, one_sided));
    };
    CHECK(equivariant() > 0.1);
    window.flips[axis] = true;
    CHECK(equivariant() < 1e-5);
    window.flips = {true, true, true};
    CHECK(equivariant() < 1e-5);
  }
}

TEST_CASE("about a small image lies the constant, in equal parts on both sides") {
  Tensor image({1, 2, 1}, DType::f32);
  image.values<float>()[0] = 3;
  image.values<float>()[1] = 4;
  const SlidingWindow window{.patch = {3, 5}, .outside = -1};
  slide(window, image, 1, [](const ConstView& patches, const View& outputs) {
    const float wanted[] = {-1, -1, -1, -1, -1, -1, 3, 4, -1, -1, -1, -1, -1, -1, -1};
    REQUIRE(patches.count() == 15);
    for (std::size_t i = 0; i < 15; ++i) CHECK(patches.as<float>()[i] == wanted[i]);
    copy(patches, outputs);
  });
}

TEST_CASE("a predictor runs over an image larger than its network") {
  GraphBuilder builder;
  const auto input = builder.input("image", {6, 6, 2});
  Model model;
  model.graph =
      builder.build({builder.add("conv", layers::Conv{.out = 3, .kernel = {1, 1}}, {input})});
  model.weights = Weights::initialised(model.graph, 4);
  Predictor predictor(model, {.batch = 4, .threads = 1, .device = {DeviceKind::cpu, 0}});
  const Tensor image = noise({11, 9, 2}, 5);
  const Tensor result = slide(
      {.patch = {6, 6}}, image, 3,
      [&](const ConstView& patches, const View& outputs) { predictor.run(patches, {}, outputs); });
  const auto weight = model.weights.find("conv/weight").value.values<float>();
  const auto bias = model.weights.find("conv/bias").value.values<float>();
  for (std::size_t i = 0; i < 99; ++i)
    for (std::size_t k = 0; k < 3; ++k) {
      const double wanted = double{bias[k]} +
                            double{weight[k]} * double{image.values<float>()[2 * i]} +
                            double{weight[3 + k]} * double{image.values<float>()[2 * i + 1]};
      REQUIRE(result.values<float>()[3 * i + k] == Approx(wanted).margin(1e-5));
    }
}

TEST_CASE("windows that make no sense are refused") {
  const Tensor image({9, 9, 1}, DType::f32);
  const auto run = [&](const SlidingWindow& window) { slide(window, image, 1, copy); };
  run({.patch = {3, 3}});
  CHECK_THROWS_AS(run({.patch = {3}}), Error);
  CHECK_THROWS_AS(run({.patch = {0, 3}}), Error);
  CHECK_THROWS_AS(run({.patch = {1, 3, 3}}), Error);
  CHECK_THROWS_AS(run({.patch = {3, 3}, .overlap = 1}), Error);
  CHECK_THROWS_AS(run({.patch = {3, 3}, .overlap = NAN}), Error);
  CHECK_THROWS_AS(run({.patch = {3, 3}, .sigma = -1}), Error);
  CHECK_THROWS_AS(run({.patch = {3, 3}, .sigma = 0.01}), Error);
  CHECK_THROWS_AS(run({.patch = {3, 3}, .batch = 0}), Error);
  CHECK_THROWS_AS(slide({.patch = {3, 3}}, image, 0, copy), Error);
  CHECK_THROWS_AS(slide({.patch = {3, 3}}, Tensor({9, 9}, DType::f32), 1, copy), Error);
}
