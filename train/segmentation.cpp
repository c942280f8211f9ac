#include "segmentation.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../core/error.h"
#include "mask.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void check_pair(ConstView truth, ConstView predicted) {
  require(truth.shape == predicted.shape, "a prediction of shape ", predicted.shape,
          " for a truth of ", truth.shape);
  for (const ConstView& map : {truth, predicted}) {
    require(map.shape.rank() == 2 || map.shape.rank() == 3, "a label map of shape ", map.shape,
            " is neither [Z, Y, X] nor [Y, X]");
    require(map.dtype == DType::u8 || map.dtype == DType::i32, "a label map of ",
            name_of(map.dtype), " is neither u8 nor i32");
  }
}

std::int32_t label_at(const ConstView& map, std::int64_t i) {
  return map.dtype == DType::u8 ? map.as<std::uint8_t>()[i] : map.as<std::int32_t>()[i];
}

// From each surface voxel of `from` to the surface whose squared distances are given, ascending.
std::vector<double> distances(const Mask& from, const std::vector<double>& squares) {
  std::vector<double> result;
  for (std::size_t i = 0; i < squares.size(); ++i)
    if (from.voxels[i] != 0) result.push_back(std::sqrt(squares[i]));
  std::sort(result.begin(), result.end());
  return result;
}

double percentile(const std::vector<double>& sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - std::floor(place));
}

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

}  // namespace

double Overlap::dice() const {
  const std::int64_t size = truth + predicted;
  return size > 0 ? 2 * static_cast<double>(both) / static_cast<double>(size) : kNaN;
}

double Overlap::iou() const {
  const std::int64_t either = truth + predicted - both;
  return either > 0 ? static_cast<double>(both) / static_cast<double>(either) : kNaN;
}

std::vector<Overlap> overlap_by_class(ConstView truth, ConstView predicted, int classes) {
  check_pair(truth, predicted);
  require(classes >= 1, "label maps of ", classes, " classes");
  std::vector<Overlap> overlaps(static_cast<std::size_t>(classes));
  const std::int64_t n = truth.count();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int32_t t = label_at(truth, i), p = label_at(predicted, i);
    for (const std::int32_t label : {t, p})
      if (label < 0 || label >= classes)
        fail(ErrorKind::input, "label ", label, " of voxel ", i, " is not one of ", classes,
             " classes");
    ++overlaps[static_cast<std::size_t>(t)].truth;
    ++overlaps[static_cast<std::size_t>(p)].predicted;
    if (t == p) ++overlaps[static_cast<std::size_t>(t)].both;
  }
  return overlaps;
}

SurfaceDistances surface_distances(ConstView truth, ConstView predicted, std::int32_t label,
                                   std::span<const double> spacing) {
  check_pair(truth, predicted);
  // Nothing outside the box of both can matter, and lesions are small.
  const MaskPair box = cropped_to_both(mask_of(truth, label), mask_of(predicted, label));
  const Mask first = surface_of(box.first), second = surface_of(box.second);
  const std::vector<double> forth = distances(first, squared_distances(second, spacing));
  const std::vector<double> back = distances(second, squared_distances(first, spacing));
  if (forth.empty() || back.empty()) return {kNaN, kNaN, kNaN};
  return {std::max(forth.back(), back.back()),
          std::max(percentile(forth, 0.95), percentile(back, 0.95)),
          (sum_of(forth) + sum_of(back)) / static_cast<double>(forth.size() + back.size())};
}

}  // namespace ratnet::inline v1
