#include "prepare.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../core/quantile.h"
#include "../../imaging/morphology.h"
#include "../../imaging/resample.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kPixels = kJudgedSize * kJudgedSize;
constexpr std::uint8_t kUnknown = 255;

void check_subject(const SubjectSlices& subject) {
  const ConstView& images = subject.images;
  require(images && images.dtype == DType::f32 && images.shape.rank() == 3 && images.shape[0] >= 1,
          "images are ", name_of(images.dtype), " ", images.shape, ", expected f32 [S, H, W]");
  if (images.shape[0] > kMostSlices)
    fail(ErrorKind::input, "has ", images.shape[0], " slices, at most ", kMostSlices,
         " are one stack");
  for (const double spacing : {subject.row_spacing, subject.column_spacing})
    if (!(spacing > 0 && std::isfinite(spacing)))
      fail(ErrorKind::input, "has pixels of ", subject.row_spacing, " x ", subject.column_spacing,
           " mm, which make no picture");
  if (subject.masks)
    require(subject.masks.dtype == DType::u8 && subject.masks.shape == images.shape, "masks are ",
            name_of(subject.masks.dtype), " ", subject.masks.shape, ", expected u8 ", images.shape);
  const auto slices = static_cast<std::size_t>(images.shape[0]);
  require(subject.labels.empty() || subject.labels.size() == slices, subject.labels.size(),
          " labels for ", slices, " slices");
  require(subject.lesion_kinds.empty() || subject.lesion_kinds.size() == slices,
          subject.lesion_kinds.size(), " kinds of lesions for ", slices, " slices");
}

void resample_masks(const SubjectSlices& subject, const SliceResampler& resampler, double share,
                    std::span<std::uint8_t> lesions) {
  const auto pixels = static_cast<std::size_t>(subject.images.shape[1] * subject.images.shape[2]);
  const std::uint8_t* mask = subject.masks.as<std::uint8_t>();
  std::vector<float> slice(pixels), cover(kPixels), scratch(resampler.scratch_size());
  for (std::size_t at = 0; at < lesions.size(); at += kPixels, mask += pixels) {
    for (std::size_t i = 0; i < pixels; ++i) {
      if (mask[i] > 1)
        fail(ErrorKind::input, "slice ", at / kPixels, " (from 0) has a mask of value ", +mask[i],
             "; lesions are 1 and all else is 0");
      slice[i] = mask[i];
    }
    resampler.run(slice, cover, scratch);
    // Sums of a pixel's shares may miss a half by rounding.
    constexpr double kRounding = 1e-6;
    for (std::size_t i = 0; i < kPixels; ++i)
      lesions[at + i] = static_cast<double>(cover[i]) >= share - kRounding;
  }
}

// Areas, positions and judged slices by the brain.
void place_slices(PreparedSubject& subject, const PreparationOptions& options) {
  const std::span<const std::uint8_t> brain = subject.brain.values<std::uint8_t>();
  std::vector<double>& areas = subject.areas;
  for (std::size_t at = 0; at < brain.size(); at += kPixels) {
    const auto slice = brain.subspan(at, kPixels);
    areas.push_back(static_cast<double>(std::count(slice.begin(), slice.end(), 1)));
  }
  subject.positions.assign(areas.size(), 0);
  subject.judged.assign(areas.size(), 0);
  const double largest = *std::max_element(areas.begin(), areas.end());
  if (largest == 0) return;
  for (double& area : areas) area /= largest;

  const auto above = [](double least) { return [least](double area) { return area > least; }; };
  const auto bottom = static_cast<double>(
      std::ranges::find_if(areas, above(options.position_bottom)) - areas.begin());
  const auto from_top =
      std::find_if(areas.rbegin(), areas.rend(), above(options.position_top)) - areas.rbegin();
  const double top = static_cast<double>(areas.size()) - 1 - static_cast<double>(from_top);
  for (std::size_t s = 0; s < areas.size(); ++s) {
    // The one slice of a brain that has no other is its bottom.
    const double position = (static_cast<double>(s) - bottom) / std::max(top - bottom, 1.0);
    subject.positions[s] = position;
    subject.judged[s] =
        areas[s] > options.judged_area && position >= 0 && position <= options.judged_top;
  }
}

// images: as they were resampled, then normalised.
void normalise(PreparedSubject& subject, const PreparationOptions& options) {
  const std::span<float> images = subject.images.values<float>();
  const std::span<const std::uint8_t> brain = subject.brain.values<std::uint8_t>();
  std::vector<float> inner;
  for (std::size_t s = 0; s < subject.judged.size(); ++s) {
    if (subject.judged[s] == 0) continue;
    const auto whole = brain.subspan(s * kPixels, kPixels);
    std::vector<std::uint8_t> eroded(whole.begin(), whole.end());
    erode_disc(eroded, kJudgedSize, kJudgedSize, options.rim);
    for (std::size_t i = 0; i < kPixels; ++i)
      if (eroded[i] != 0) inner.push_back(images[s * kPixels + i]);
  }
  const auto quartile = [&](double share) { return static_cast<double>(quantile(inner, share)); };
  const double median = quartile(0.5), range = quartile(0.75) - quartile(0.25);
  if (!(range > 0)) {
    std::ranges::fill(images, 0.0f);
    std::ranges::fill(subject.judged, std::uint8_t{0});
    return;
  }
  subject.range = range;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const double value =
        options.centre + options.contrast * (static_cast<double>(images[i]) - median) / range;
    images[i] = brain[i] != 0 ? static_cast<float>(std::clamp(value, 0.0, options.highest)) : 0.0f;
  }
}

PreparedSubject prepared(const SubjectSlices& subject, const PreparationOptions& options) {
  check_subject(subject);
  const Shape& shape = subject.images.shape;
  const SliceResampler resampler({shape[1], shape[2], subject.row_spacing, subject.column_spacing},
                                 kJudgedSize, kJudgedSize);
  PreparedSubject result;
  result.name = subject.name;
  result.subject = subject.subject;
  result.images = Tensor({shape[0], kJudgedSize, kJudgedSize}, DType::f32);
  const auto pixels = static_cast<std::size_t>(shape[1] * shape[2]);
  const std::span<const float> images(subject.images.as<float>(),
                                      static_cast<std::size_t>(subject.images.count()));
  std::vector<float> scratch(resampler.scratch_size());
  for (std::size_t s = 0; s < static_cast<std::size_t>(shape[0]); ++s) {
    const std::span<const float> slice = images.subspan(s * pixels, pixels);
    resampler.run(slice, result.images.values<float>().subspan(s * kPixels, kPixels), scratch);
    result.hashes.push_back(hash_image(std::as_bytes(slice), sizeof(float)));
  }
  if (subject.masks) {
    result.lesions = Tensor(result.images.shape(), DType::u8);
    resample_masks(subject, resampler, options.lesion_share, result.lesions.values<std::uint8_t>());
  }
  for (const std::uint8_t label : subject.labels)
    result.labels.push_back(label == 0 || label == kUnknown ? label : std::uint8_t{1});
  result.lesion_kinds.assign(subject.lesion_kinds.begin(), subject.lesion_kinds.end());
  result.brain = brain_mask(result.images, options.brain);
  if (remove_bias_field(result.images, result.brain, options.bias_field))
    result.brain = brain_mask(result.images, options.brain);
  place_slices(result, options);
  normalise(result, options);
  return result;
}

// Along one axis, between which two pixels of the map a pixel of the input lies.
struct Between {
  std::size_t first = 0, second = 0;
  float share = 0;  // of the second
};

std::vector<Between> between(std::int64_t pixels, double spacing, double map_spacing) {
  std::vector<Between> result;
  constexpr double kLast = kJudgedSize - 1;
  for (std::int64_t n = 0; n < pixels; ++n) {
    const double from_centre = static_cast<double>(n) - static_cast<double>(pixels - 1) / 2;
    const double place = std::clamp(kLast / 2 + from_centre * spacing / map_spacing, 0.0, kLast);
    const auto first = static_cast<std::size_t>(place);
    result.push_back({first, std::min(first + 1, static_cast<std::size_t>(kLast)),
                      static_cast<float>(place - static_cast<double>(first))});
  }
  return result;
}

}  // namespace

void check(const PreparationOptions& options) {
  check(options.brain);
  check(options.bias_field);
  const auto share = [](const char* what, double value) {
    require(value >= 0 && value <= 1, "preparation: ", what, " must be 0 to 1, got ", value);
  };
  share("lesion_share", options.lesion_share);
  share("position_bottom", options.position_bottom);
  share("position_top", options.position_top);
  share("judged_area", options.judged_area);
  share("judged_top", options.judged_top);
  require(options.position_bottom < 1 && options.position_top < 1 && options.judged_area < 1,
          "preparation: no slice's brain is larger than the largest");
  require(options.rim >= 0 && options.rim <= 60, "preparation: rim must be 0 to 60 pixels, got ",
          options.rim);
  require(std::isfinite(options.centre) && std::isfinite(options.contrast) &&
              std::isfinite(options.highest) && options.contrast > 0 && options.highest > 0,
          "preparation: no brightness of centre ", options.centre, ", contrast ", options.contrast,
          " and highest ", options.highest);
}

PreparedSubject prepare_subject(const SubjectSlices& subject, const PreparationOptions& options) {
  check(options);
  try {
    return prepared(subject, options);
  } catch (const Error& error) {
    throw error.with_context("'" + subject.name + "'");
  }
}

Tensor to_input_grid(std::span<const float> map, const SliceGrid& input) {
  require(map.size() == kPixels, "a map of ", map.size(), " pixels, expected ", kJudgedSize, " x ",
          kJudgedSize);
  const SliceResampler resampler(input, kJudgedSize, kJudgedSize);
  if (resampler.copies()) return Tensor::of<float>({kJudgedSize, kJudgedSize}, map);
  const SliceGrid& grid = resampler.to();
  const std::vector<Between> rows = between(input.rows, input.row_spacing, grid.row_spacing);
  const std::vector<Between> columns =
      between(input.columns, input.column_spacing, grid.column_spacing);
  Tensor result({input.rows, input.columns}, DType::f32);
  float* out = result.values<float>().data();
  for (const Between& row : rows) {
    const float* first = map.data() + row.first * kJudgedSize;
    const float* second = map.data() + row.second * kJudgedSize;
    const auto at = [&](std::size_t x) { return first[x] + row.share * (second[x] - first[x]); };
    for (const Between& column : columns) {
      const float left = at(column.first);
      *out++ = left + column.share * (at(column.second) - left);
    }
  }
  return result;
}

}  // namespace ratnet::inline v1
