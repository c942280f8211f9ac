#include "brain_mask.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "../../core/quantile.h"
#include "../../imaging/morphology.h"
#include "../../imaging/mri_artefacts.h"
#include "../../imaging/otsu.h"
#include "../../train/components.h"
#include "prepared_subject.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kPixels = kJudgedSize * kJudgedSize;
// A head leaves background around it; what fills more of the picture is noise or a constant.
constexpr double kMostHead = 0.9;

using Slice = std::span<std::uint8_t>;
using Slices = std::vector<std::uint8_t>;

Slice slice_of(Slices& slices, std::int64_t s) {
  return Slice(slices).subspan(static_cast<std::size_t>(s) * kPixels, kPixels);
}

void dilate(Slice image, double radius) { dilate_disc(image, kJudgedSize, kJudgedSize, radius); }
void erode(Slice image, double radius) { erode_disc(image, kJudgedSize, kJudgedSize, radius); }
void open(Slice image, double radius) { open_disc(image, kJudgedSize, kJudgedSize, radius); }
void close_and_fill(Slice image, double radius) {
  close_disc(image, kJudgedSize, kJudgedSize, radius);
  fill_holes(image, kJudgedSize, kJudgedSize);
}

void intersect(Slice image, std::span<const std::uint8_t> other) {
  for (std::size_t i = 0; i < image.size(); ++i) image[i] &= other[i];
}

std::int64_t area(std::span<const std::uint8_t> image) {
  return std::count(image.begin(), image.end(), 1);
}

// The stack smoothed, with its background at 0 or above.
std::vector<float> smoothed(const ConstView& slices, double sigma) {
  const float* values = slices.as<float>();
  std::vector<float> result(values, values + slices.count());
  for (std::size_t i = 0; i < result.size(); ++i)
    if (!std::isfinite(result[i]))
      fail(ErrorKind::input, "slice ", i / kPixels,
           " (from 0) holds values that are not finite; replace them before");
  for (std::size_t at = 0; at < result.size(); at += kPixels)
    blur_gaussian(std::span(result).subspan(at, kPixels), {1, kJudgedSize, kJudgedSize}, sigma);
  return result;
}

// Where the slices are brighter than `level`, [S, 128, 128].
Slices above(std::span<const float> values, double level) {
  Slices result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    result[i] = static_cast<double>(values[i]) > level;
  return result;
}

// Which slices are searched, and how many of them make a cap.
struct Extent {
  std::int64_t seed_first = 0, seed_last = 0;  // [first, last)
  std::int64_t bottom = 0;                     // the lowest
  double cap = 0;
};

// Where, from the top, the head's area first exceeds `share` of its largest, between two slices;
// none where the topmost slice does.
std::optional<double> descent(const std::vector<double>& areas, double share) {
  const double level = share * *std::max_element(areas.begin(), areas.end());
  for (std::size_t s = areas.size(); s-- > 0;) {
    if (areas[s] < level) continue;
    if (s + 1 == areas.size()) return {};
    return static_cast<double>(s) + (areas[s] - level) / (areas[s] - areas[s + 1]);
  }
  return {};
}

Extent extent_of(const std::vector<double>& areas, const BrainMaskOptions& options) {
  const auto count = static_cast<double>(areas.size());
  const std::optional<double> top = descent(areas, 0.3), shoulder = descent(areas, 0.8);
  constexpr double kFewest = 2;  // slices of a cap that can be measured
  Extent extent;
  double first = 0, last = 0;
  if (top && shoulder && *top - *shoulder >= kFewest) {
    extent.cap = *top - *shoulder;
    first = std::round(*top - options.seed_bottom * extent.cap);
    last = std::round(*top - options.seed_top * extent.cap) + 1;
    extent.bottom =
        static_cast<std::int64_t>(std::max(0.0, std::round(*top - options.bottom * extent.cap)));
  } else {
    extent.cap = count / 6;  // as stacks of whole heads have
    first = std::floor(options.stack_low * count);
    last = std::ceil(options.stack_high * count);
  }
  first = std::clamp(first, 0.0, count - 1);
  extent.seed_first = static_cast<std::int64_t>(first);
  extent.seed_last = static_cast<std::int64_t>(std::clamp(last, first + 1, count));
  return extent;
}

// The median brightness of what lies deep inside of the head, in the slices of the seed; 0 for
// none.
double deep_brightness(std::span<const float> values, Slices& head, double head_level,
                       const Extent& extent, double depth) {
  std::vector<float> found;
  for (std::int64_t s = extent.seed_first; s < extent.seed_last; ++s) {
    const Slice whole = slice_of(head, s);
    Slices deep(whole.begin(), whole.end());
    erode(deep, depth);
    for (std::size_t i = 0; i < kPixels; ++i) {
      const float value = values[static_cast<std::size_t>(s) * kPixels + i];
      if (deep[i] != 0 && static_cast<double>(value) > head_level) found.push_back(value);
    }
  }
  return static_cast<double>(quantile(found, 0.5));
}

// The largest component of the slices of the seed, in three dimensions; the other slices are empty.
Slices seed_of(Slices& tissue, const Extent& extent) {
  const auto from = static_cast<std::ptrdiff_t>(extent.seed_first) *
                    static_cast<std::ptrdiff_t>(kPixels),
             to = static_cast<std::ptrdiff_t>(extent.seed_last) *
                  static_cast<std::ptrdiff_t>(kPixels);
  const Mask mask{3,
                  {extent.seed_last - extent.seed_first, kJudgedSize, kJudgedSize},
                  Slices(tissue.begin() + from, tissue.begin() + to)};
  const Components components = connected_components(mask, Connectivity::faces);
  std::vector<std::int64_t> sizes = component_sizes(components);
  sizes[0] = 0;
  const auto largest = std::max_element(sizes.begin(), sizes.end()) - sizes.begin();
  Slices brain(tissue.size());
  if (largest != 0)
    std::transform(components.labels.begin(), components.labels.end(), brain.begin() + from,
                   [&](std::int32_t label) { return std::uint8_t{label == largest}; });
  return brain;
}

// What of a slice's tissue is brain below the slice above: parts that hang together firmly and lie
// mostly where `reach` allows, so that muscles and orbits which touch the brain stay out.
Slices brain_below(Slice tissue, std::span<const std::uint8_t> reach,
                   const BrainMaskOptions& options) {
  Mask parts{2, {1, kJudgedSize, kJudgedSize}, Slices(tissue.begin(), tissue.end())};
  open(parts.voxels, options.bridge);
  const Components components = connected_components(parts, Connectivity::faces);
  const std::vector<std::int64_t> sizes = component_sizes(components);
  std::vector<std::int64_t> common(sizes.size());
  for (std::size_t i = 0; i < kPixels; ++i)
    if (reach[i] != 0) ++common[static_cast<std::size_t>(components.labels[i])];
  Slices brain(kPixels);
  for (std::size_t i = 0; i < kPixels; ++i) {
    const auto part = static_cast<std::size_t>(components.labels[i]);
    brain[i] = part != 0 && static_cast<double>(common[part]) >
                                options.overlap * static_cast<double>(sizes[part]);
  }
  dilate(brain, options.bridge + 1);  // the border the opening took
  intersect(brain, tissue);
  intersect(brain, reach);
  return brain;
}

}  // namespace

void check(const BrainMaskOptions& options) {
  const auto radius = [](const char* what, double value) {
    require(value >= 0 && value <= 60, "brain mask: ", what, " must be 0 to 60 pixels, got ",
            value);
  };
  radius("smoothing", options.smoothing);
  radius("head_closing", options.head_closing);
  radius("head_rim", options.head_rim);
  radius("deep", options.deep);
  radius("opening", options.opening);
  radius("growth", options.growth);
  radius("bridge", options.bridge);
  radius("closing", options.closing);
  const auto share = [](const char* what, double value) {
    require(value >= 0 && value <= 1, "brain mask: ", what, " must be 0 to 1, got ", value);
  };
  share("head_level", options.head_level);
  share("tissue_level", options.tissue_level);
  share("overlap", options.overlap);
  require(
      options.stack_low >= 0 && options.stack_low < options.stack_high && options.stack_high <= 1,
      "brain mask: the seed from ", options.stack_low, " to ", options.stack_high,
      " of the stack must be a range within 0 to 1");
  require(options.seed_top >= 0 && options.seed_top < options.seed_bottom &&
              options.seed_bottom <= options.bottom && options.bottom <= 100,
          "brain mask: the seed from ", options.seed_top, " to ", options.seed_bottom,
          " caps and the bottom at ", options.bottom, " must follow each other, within 0 to 100");
}

float zero_level(std::vector<float>& magnitudes) {
  return std::min(0.0f, quantile(magnitudes, 0.01));
}

Tensor brain_mask(const ConstView& slices, const BrainMaskOptions& options) {
  check(options);
  require(slices.dtype == DType::f32 && slices.shape.rank() == 3 && slices.shape[0] >= 1 &&
              slices.shape[1] == kJudgedSize && slices.shape[2] == kJudgedSize,
          "brain mask: slices are ", name_of(slices.dtype), " ", slices.shape,
          ", expected f32 [S, ", kJudgedSize, ", ", kJudgedSize, "]");
  const std::int64_t count = slices.shape[0];
  Tensor result(slices.shape, DType::u8);
  std::vector<float> values = smoothed(slices, options.smoothing);

  // A few outliers must not stretch Otsu's histogram.
  std::vector<float> ordered = values;
  const float low = zero_level(ordered), high = quantile(ordered, 0.999);
  if (!(low < high)) return result;
  for (float& value : values) value -= low;
  const double range = static_cast<double>(high) - static_cast<double>(low);
  if (!std::isfinite(static_cast<float>(range))) return result;
  const double head_level = options.head_level * otsu_threshold(values, 0, range);

  Slices head = above(values, head_level);
  std::vector<double> areas;
  for (std::int64_t s = 0; s < count; ++s) {
    const Slice slice = slice_of(head, s);
    close_and_fill(slice, options.head_closing);
    if (static_cast<double>(area(slice)) > kMostHead * static_cast<double>(kPixels))
      std::fill(slice.begin(), slice.end(), std::uint8_t{0});
    areas.push_back(static_cast<double>(area(slice)));
  }
  const Extent extent = extent_of(areas, options);
  const double deep = deep_brightness(values, head, head_level, extent, options.deep);
  if (!(deep > 0)) return result;

  Slices tissue = above(values, options.tissue_level * deep);
  for (std::int64_t s = 0; s < count; ++s) {
    erode(slice_of(head, s), options.head_rim);
    intersect(slice_of(tissue, s), slice_of(head, s));
    open(slice_of(tissue, s), options.opening);
  }
  Slices brain = seed_of(tissue, extent);
  const auto copy = [&](std::int64_t s) {
    const Slice slice = slice_of(brain, s);
    return Slices(slice.begin(), slice.end());
  };
  for (std::int64_t s = extent.seed_last; s < count; ++s) {
    Slices below = copy(s - 1);
    close_and_fill(below, options.closing);
    intersect(below, slice_of(tissue, s));
    std::copy(below.begin(), below.end(), slice_of(brain, s).begin());
  }
  constexpr double kWidestStep = 8;  // of a stack of few slices
  const double step = std::min(options.growth / extent.cap, kWidestStep);
  std::int64_t largest = 0;
  for (std::int64_t s = 0; s < count; ++s) largest = std::max(largest, area(slice_of(brain, s)));
  for (std::int64_t s = extent.seed_first - 1; s >= extent.bottom; --s) {
    Slices upper = copy(s + 1), reach = upper;
    dilate(reach, step);
    Slices found = brain_below(slice_of(tissue, s), reach, options);
    // A brain does not end where it is broad; there it hangs together with muscles or orbits.
    const std::int64_t before = area(upper);
    if (2 * before > largest && 2 * area(found) < before) {
      intersect(upper, slice_of(tissue, s));
      open(upper, options.bridge);
      found = upper;
    }
    std::copy(found.begin(), found.end(), slice_of(brain, s).begin());
  }
  for (std::int64_t s = 0; s < count; ++s) close_and_fill(slice_of(brain, s), options.closing);
  std::copy(brain.begin(), brain.end(), result.values<std::uint8_t>().begin());
  return result;
}

}  // namespace ratnet::inline v1
