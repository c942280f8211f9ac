#include "../../apps/anomaly/planted_lesions.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "../../apps/anomaly/subject_slices.h"
#include "../../core/error.h"
#include "../catch.h"
#include "head_stack.h"

using namespace ratnet;

namespace {

constexpr double kPixel = 1.875;  // mm, of head_stack()

SubjectSlices slices_of(const HeadStack& head) {
  return {.name = "head", .images = head.images, .row_spacing = kPixel, .column_spacing = kPixel};
}

// Area in the slice that has most of the mask, as the diameter of a disc; mm.
double diameter_of(const Tensor& masks) {
  std::int64_t most = 0;
  for (std::int64_t s = 0; s < masks.shape()[0]; ++s)
    most = std::max<std::int64_t>(most, std::ranges::count(slice_of<std::uint8_t>(masks, s), 1));
  return 2 * kPixel * std::sqrt(static_cast<double>(most) / 3.14159265);
}

}  // namespace

TEST_CASE("planted lesions lie in the judged brain, as large and as bright as was asked") {
  const HeadStack head = head_stack(60, 3);
  const PreparedSubject prepared = prepare_subject(slices_of(head));
  REQUIRE(prepared.range > 0);
  CHECK(with_all_brain(prepared).range == prepared.range);
  const auto brain = prepared.brain.values<std::uint8_t>();
  const std::size_t pixels = kJudgedSize * kJudgedSize;
  for (const LesionKind kind : {LesionKind::hyperintense, LesionKind::hypointense})
    for (const double diameter : {9.0, 24.0}) {
      const PlantingOptions options{.kind = kind, .diameter = diameter, .contrast = 3, .seed = 4};
      const PlantedLesions planted = plant_lesions(slices_of(head), 3, options);
      const auto change = planted.change.values<float>();
      const auto masks = planted.masks.values<std::uint8_t>();
      const double sign = kind == LesionKind::hyperintense ? 1 : -1;
      std::size_t outside = 0, astray = 0, wrong = 0, inside = 0;
      double whole = 0;
      for (std::size_t i = 0; i < change.size(); ++i) {
        // In interquartile ranges: 3 where all of the voxel is lesion.
        const double share = sign * static_cast<double>(change[i]) / prepared.range / 3;
        whole = std::max(whole, share);
        wrong += masks[i] != (share >= 0.5 - 1e-6) || share < 0 || share > 1 + 1e-6;
        outside += change[i] != 0 && !brain[i];
        astray += change[i] != 0 && !prepared.judged[i / pixels];
        inside += masks[i];
      }
      INFO(kLesionKindNames[static_cast<std::size_t>(kind)] << " " << diameter);
      CHECK(outside == 0);
      CHECK(astray == 0);
      CHECK(wrong == 0);
      CHECK(inside > 20);
      CHECK(whole == Approx(1).margin(1e-5));
      CHECK(diameter_of(planted.masks) == Approx(diameter).epsilon(0.25));
    }
}

TEST_CASE("planted lesions come again by their seed, each scan's its own") {
  const HeadStack head = head_stack(60, 3), other = head_stack(60, 3, 2);
  const auto plant = [](const HeadStack& to, const PlantingOptions& options) {
    return plant_lesions(slices_of(to), 3, options);
  };
  const auto same = [](const Tensor& a, const Tensor& b) {
    return std::ranges::equal(a.values<std::uint8_t>(), b.values<std::uint8_t>());
  };
  const PlantingOptions options{.diameter = 10, .lesions = 4};
  const PlantedLesions first = plant(head, options), again = plant(head, options);
  CHECK(same(first.masks, again.masks));
  CHECK(std::ranges::equal(first.change.values<float>(), again.change.values<float>()));
  PlantingOptions changed = options;
  changed.contrast = 0.5;
  CHECK(same(plant(head, changed).masks, first.masks));
  changed.seed = 2;
  CHECK_FALSE(same(plant(head, changed).masks, first.masks));
  CHECK_FALSE(same(plant(other, options).masks, first.masks));
  // Four have about four times the voxels of one: they do not meet.
  const auto voxels = [](const Tensor& masks) {
    return static_cast<double>(std::ranges::count(masks.values<std::uint8_t>(), 1));
  };
  PlantingOptions one = options;
  one.lesions = 1;
  const double ratio = voxels(first.masks) / voxels(plant(head, one).masks);
  CHECK(ratio > 2);
  CHECK(ratio < 8);
}

TEST_CASE("nothing becomes darker than the scan's darkest voxel") {
  HeadStack head = head_stack(60, 3);
  // The brain is 108 to 132, its range about 12: this is 120 darker.
  const PlantingOptions options{.kind = LesionKind::hypointense, .contrast = 10};
  const PlantedLesions planted = plant_lesions(slices_of(head), 3, options);
  const std::span<float> image = head.images.values<float>();
  const std::span<const float> change = planted.change.values<float>();
  const float least = *std::ranges::min_element(image);
  std::size_t darkest = 0, darker = 0;
  for (std::size_t i = 0; i < image.size(); ++i) {
    darkest += change[i] != 0 && std::abs(image[i] + change[i] - least) < 1e-4f;
    darker += image[i] + change[i] < least - 1e-4f;
  }
  CHECK(darkest > 3);
  CHECK(darker == 0);
  // Where the range is 36, no place can become 360 darker.
  for (std::size_t i = 0; i < image.size(); ++i)
    if (head.brain.values<std::uint8_t>()[i]) image[i] = 120 + 3 * (image[i] - 120);
  for (float& value : image) value = std::max(value, 0.0f);
  CHECK_THROWS_WITH(plant_lesions(slices_of(head), 3, options),
                    Catch::Matchers::Contains("lower contrast"));
}

TEST_CASE("lesions that cannot be planted are refused") {
  const auto refused = [](const PlantingOptions& options) {
    CHECK_THROWS_AS(options.check(), Error);
  };
  refused({.kind = LesionKind::none});
  refused({.kind = LesionKind::texture});
  refused({.diameter = 0.9});
  refused({.diameter = 61});
  refused({.diameter = std::nan("")});
  refused({.contrast = 0});
  refused({.contrast = -1});
  refused({.contrast = 10.1});
  refused({.lesions = 0});
  refused({.lesions = 21});
  const HeadStack head = head_stack(36, 5);
  CHECK_THROWS_WITH(plant_lesions(slices_of(head), 5, {.diameter = 50, .lesions = 20}),
                    Catch::Matchers::Contains("no room"));
  for (const double spacing : {0., -1., 1e-25, 101., 1e300, std::nan("")}) {
    CHECK_THROWS_WITH(plant_lesions(slices_of(head), spacing),
                      Catch::Matchers::Contains("voxels of"));
    SubjectSlices slices = slices_of(head);
    slices.row_spacing = slices.column_spacing = spacing;
    CHECK_THROWS_WITH(plant_lesions(slices, 5), Catch::Matchers::Contains("voxels of"));
  }
  // Nothing that is planted may be more than a float holds.
  HeadStack bright = head_stack(60, 3);
  for (float& value : bright.images.values<float>()) value *= 1.4e36f;
  CHECK_THROWS_WITH(plant_lesions(slices_of(bright), 3, {.contrast = 10}),
                    Catch::Matchers::Contains("too large"));
  const PlantedLesions planted = plant_lesions(slices_of(bright), 3, {.contrast = 1});
  const std::span<const float> before = bright.images.values<float>();
  std::size_t infinite = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    infinite += !std::isfinite(before[i] + planted.change.values<float>()[i]);
  CHECK(infinite == 0);
  const Tensor flat({8, 16, 16}, DType::f32);
  CHECK_THROWS_WITH(plant_lesions({.name = "flat", .images = flat}, 3),
                    Catch::Matchers::Contains("no brain"));
}
