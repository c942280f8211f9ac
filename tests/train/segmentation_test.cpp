#include "../../train/segmentation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../../core/error.h"
#include "../../core/random.h"
#include "../../core/tensor.h"
#include "../../train/mask.h"
#include "../catch.h"

using namespace ratnet;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Spacing = std::vector<double>;

Tensor random_labels(const Shape& shape, std::uint64_t seed, int classes, double background) {
  Random random(seed);
  Tensor labels(shape, DType::u8);
  for (std::uint8_t& label : labels.values<std::uint8_t>())
    label = random.chance(background) ? std::uint8_t{0}
                                      : static_cast<std::uint8_t>(random.integer(classes));
  return labels;
}

// The voxels with ((z - c0) / r0)^2 + ... <= 1 of 7 x 13 x 17.
Tensor ellipsoid(std::array<double, 3> centre, std::array<double, 3> radius) {
  Tensor labels({7, 13, 17}, DType::u8);
  std::size_t i = 0;
  for (int z = 0; z < 7; ++z)
    for (int y = 0; y < 13; ++y)
      for (int x = 0; x < 17; ++x, ++i) {
        double sum = 0;
        for (std::size_t d = 0; d < 3; ++d) {
          const double away = ((d == 0 ? z : d == 1 ? y : x) - centre[d]) / radius[d];
          sum += away * away;
        }
        labels.values<std::uint8_t>()[i] = sum <= 1;
      }
  return labels;
}

struct Point {
  double z, y, x;
};

// Surface voxels, in mm.
std::vector<Point> surface_points(const Mask& mask, const Spacing& spacing) {
  const std::int64_t depth = mask.sizes[0], height = mask.sizes[1], width = mask.sizes[2];
  const auto inside = [&](std::int64_t z, std::int64_t y, std::int64_t x) {
    if (std::min({z, y, x}) < 0 || z >= depth || y >= height || x >= width) return false;
    return mask.voxels[static_cast<std::size_t>((z * height + y) * width + x)] == 1;
  };
  const std::size_t plane = spacing.size() - 2;
  std::vector<Point> points;
  for (std::int64_t z = 0; z < depth; ++z)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x) {
        if (!inside(z, y, x)) continue;
        int neighbours =
            inside(z, y - 1, x) + inside(z, y + 1, x) + inside(z, y, x - 1) + inside(z, y, x + 1);
        if (plane == 1) neighbours += inside(z - 1, y, x) + inside(z + 1, y, x);
        if (neighbours == (plane == 1 ? 6 : 4)) continue;
        points.push_back({plane == 1 ? static_cast<double>(z) * spacing[0] : 0,
                          static_cast<double>(y) * spacing[plane],
                          static_cast<double>(x) * spacing[plane + 1]});
      }
  return points;
}

double nearest(const Point& from, const std::vector<Point>& to) {
  double best = kInfinity;
  for (const Point& p : to)
    best = std::min(best, std::hypot(p.z - from.z, p.y - from.y, p.x - from.x));
  return best;
}

// numpy.percentile by its definition: the line through the points (k / (n - 1), sorted[k]).
double percentile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  for (std::size_t k = 1; k < values.size(); ++k) {
    const double n = static_cast<double>(values.size()) - 1;
    const double left = static_cast<double>(k - 1) / n, right = static_cast<double>(k) / n;
    if (fraction <= right)
      return values[k - 1] + (values[k] - values[k - 1]) * (fraction - left) / (right - left);
  }
  return values.back();
}

SurfaceDistances by_pairs(ConstView truth, ConstView predicted, int label, const Spacing& spacing) {
  const auto a = surface_points(mask_of(truth, label), spacing);
  const auto b = surface_points(mask_of(predicted, label), spacing);
  std::vector<double> forth, back;
  for (const Point& p : a) forth.push_back(nearest(p, b));
  for (const Point& p : b) back.push_back(nearest(p, a));
  SurfaceDistances result;
  double sum = 0;
  for (const auto* way : {&forth, &back}) {
    for (const double d : *way) {
      sum += d;
      result.hausdorff = std::max(result.hausdorff, d);
    }
    result.hausdorff95 = std::max(result.hausdorff95, percentile(*way, 0.95));
  }
  result.average = sum / static_cast<double>(a.size() + b.size());
  return result;
}

void check_equal(const SurfaceDistances& a, const SurfaceDistances& b) {
  CHECK(a.hausdorff == Approx(b.hausdorff).epsilon(1e-12));
  CHECK(a.hausdorff95 == Approx(b.hausdorff95).epsilon(1e-12));
  CHECK(a.average == Approx(b.average).epsilon(1e-12));
}

}  // namespace

TEST_CASE("the distance transform is that of measuring to every voxel") {
  const std::vector<Shape> shapes{{1, 1, 1}, {1, 1, 13}, {5, 1, 1}, {3, 7, 11},
                                  {2, 2, 2}, {1, 1},     {7, 1},    {11, 17}};
  for (const Shape& shape : shapes)
    for (const double background : {1.0, 0.95, 0.5, 0.0}) {
      Spacing spacing{2.5, 0.7, 1.3};
      spacing.resize(static_cast<std::size_t>(shape.rank()));
      const Mask mask = mask_of(random_labels(shape, 3, 2, background), 1);
      const std::vector<double> squares = squared_distances(mask, spacing);
      if (shape.rank() == 2) spacing.insert(spacing.begin(), 1);
      const std::int64_t height = mask.sizes[1], width = mask.sizes[2];
      const auto at = [&](std::size_t i) {
        const auto n = static_cast<std::int64_t>(i);
        return Point{static_cast<double>(n / (height * width)) * spacing[0],
                     static_cast<double>(n / width % height) * spacing[1],
                     static_cast<double>(n % width) * spacing[2]};
      };
      std::vector<Point> sites;
      for (std::size_t i = 0; i < squares.size(); ++i)
        if (mask.voxels[i] == 1) sites.push_back(at(i));
      REQUIRE(squares.size() == static_cast<std::size_t>(shape.count()));
      for (std::size_t i = 0; i < squares.size(); ++i)
        if (sites.empty())
          CHECK(squares[i] == kInfinity);
        else
          CHECK(std::sqrt(squares[i]) ==
                Approx(nearest(at(i), sites)).epsilon(1e-12).margin(1e-12));
    }
  const Mask mask = mask_of(random_labels({3, 3}, 1, 2, 0.5), 1);
  CHECK_THROWS_AS(squared_distances(mask, Spacing{1}), Error);
  CHECK_THROWS_AS(squared_distances(mask, Spacing{1, 0}), Error);
  CHECK_THROWS_AS(squared_distances(mask, Spacing{1, kInfinity}), Error);
}

TEST_CASE("segmentations agree with SciPy") {
  // surface = x & ~scipy.ndimage.binary_erosion(x, generate_binary_structure(ndim, 1))
  // ab = distance_transform_edt(~surface(b), sampling=spacing)[surface(a)], ba the other way
  // max(ab.max(), ba.max()), max(np.percentile(ab, 95), np.percentile(ba, 95)),
  // (ab.sum() + ba.sum()) / (len(ab) + len(ba)); SciPy 1.17.1, NumPy 2.4.6
  const Tensor truth = ellipsoid({3, 6, 8}, {2.5, 4.5, 5.5});
  Tensor predicted = ellipsoid({3, 5, 9}, {3.2, 3.5, 6.1});
  predicted.values<std::uint8_t>()[12 * 17] = 1;  // a voxel astray
  const Overlap overlap = overlap_by_class(truth, predicted, 2)[1];
  CHECK(overlap.truth == 275);
  CHECK(overlap.predicted == 298);
  CHECK(overlap.both == 213);
  CHECK(overlap.dice() == Approx(0.743455497382199).epsilon(1e-14));
  CHECK(overlap.iou() == Approx(0.5916666666666667).epsilon(1e-14));
  const SurfaceDistances volume = surface_distances(truth, predicted, 1, Spacing{3, 0.8, 0.7});
  CHECK(volume.hausdorff == Approx(6.07289058027559).epsilon(1e-13));
  CHECK(volume.hausdorff95 == Approx(3.0).epsilon(1e-13));
  CHECK(volume.average == Approx(0.7524114968015513).epsilon(1e-13));

  const auto middle = [](const Tensor& labels) {
    return Tensor::of<std::uint8_t>({13, 17}, labels.values<std::uint8_t>().subspan(3 * 221, 221));
  };
  const SurfaceDistances slice =
      surface_distances(middle(truth), middle(predicted), 1, Spacing{0.8, 0.7});
  CHECK(slice.hausdorff == Approx(1.6).epsilon(1e-13));
  CHECK(slice.hausdorff95 == Approx(1.6).epsilon(1e-13));
  CHECK(slice.average == Approx(0.6489482512306116).epsilon(1e-13));
}

TEST_CASE("surface distances are those of all pairs of surface voxels") {
  std::uint64_t seed = 0;
  for (const Shape& shape : {Shape{1, 1, 1}, Shape{1, 5, 7}, Shape{5, 7, 11}, Shape{13, 17},
                             Shape{1, 19}, Shape{2, 3, 2}})
    for (const double background : {0.8, 0.3, 0.0}) {
      Spacing spacing{3.1, 0.45, 1.2};
      spacing.resize(static_cast<std::size_t>(shape.rank()));
      const Tensor truth = random_labels(shape, ++seed, 3, background);
      const Tensor predicted = random_labels(shape, ++seed, 3, background);
      for (const int label : {0, 1, 2}) {
        const SurfaceDistances found = surface_distances(truth, predicted, label, spacing);
        if (mask_of(truth, label).inside() == 0 || mask_of(predicted, label).inside() == 0) {
          CHECK(std::isnan(found.hausdorff));
          CHECK(std::isnan(found.hausdorff95));
          CHECK(std::isnan(found.average));
        } else {
          check_equal(found, by_pairs(truth, predicted, label, spacing));
          check_equal(found, surface_distances(predicted, truth, label, spacing));
          CHECK(surface_distances(truth, truth, label, spacing).hausdorff == 0);
        }
      }
    }
}

TEST_CASE("overlaps of empty and mixed maps") {
  const std::vector<std::int32_t> values{0, 2, 2, 0, 3, 3};
  const Tensor truth = Tensor::of<std::int32_t>({2, 3}, values);
  const Tensor predicted =
      Tensor::of<std::uint8_t>({2, 3}, std::vector<std::uint8_t>{0, 2, 0, 0, 0, 0});
  const auto overlaps = overlap_by_class(truth, predicted, 5);  // of two types
  REQUIRE(overlaps.size() == 5);
  CHECK(overlaps[0].dice() == Approx(2 * 2 / 7.0));
  CHECK(overlaps[0].iou() == Approx(2 / 5.0));
  CHECK(std::isnan(overlaps[1].dice()));
  CHECK(std::isnan(overlaps[1].iou()));
  CHECK(overlaps[2].dice() == Approx(2 / 3.0));
  CHECK(overlaps[3].dice() == 0);
  CHECK(overlaps[3].iou() == 0);

  CHECK_THROWS_AS(overlap_by_class(truth, predicted, 3), Error);
  CHECK_THROWS_AS(overlap_by_class(truth, predicted, 0), Error);
  CHECK_THROWS_AS(overlap_by_class(truth, Tensor({3, 2}, DType::u8), 5), Error);
  CHECK_THROWS_AS(overlap_by_class(Tensor({6}, DType::u8), Tensor({6}, DType::u8), 5), Error);
  CHECK_THROWS_AS(overlap_by_class(truth, Tensor({2, 3}, DType::f32), 5), Error);
  CHECK_THROWS_AS(surface_distances(truth, predicted, 2, Spacing{1}), Error);
  const Tensor negative = Tensor::of<std::int32_t>({1, 1}, std::vector<std::int32_t>{-1});
  CHECK_THROWS_AS(overlap_by_class(negative, negative, 5), Error);
  const Tensor nothing({0, 4}, DType::u8);
  CHECK(std::isnan(overlap_by_class(nothing, nothing, 1)[0].dice()));
  CHECK(std::isnan(surface_distances(nothing, nothing, 0, Spacing{1, 1}).average));
}
