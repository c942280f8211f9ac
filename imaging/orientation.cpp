#include "orientation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace ratnet::inline v1 {
namespace {

constexpr std::array<std::pair<std::string_view, SliceAxis>, 8> kNames{
    {{"auto", SliceAxis::automatic},
     {"coronal", SliceAxis::coronal},
     {"axial", SliceAxis::axial},
     {"sagittal", SliceAxis::sagittal},
     {"acquired", SliceAxis::acquired},
     {"0", SliceAxis::axis0},
     {"1", SliceAxis::axis1},
     {"2", SliceAxis::axis2}}};

// The array axis that runs along a pair of directions: "LR", "AP" or "IS".
int axis_along(const ScanGeometry& g, std::string_view pair) {
  return static_cast<int>(g.orientation.find_first_of(pair));
}

double spacing(const ScanGeometry& g, int axis) {
  return g.spacing[static_cast<std::size_t>(axis)];
}

std::int64_t size(const ScanGeometry& g, int axis) {
  return g.sizes[static_cast<std::size_t>(axis)];
}

std::string direction_name(const ScanGeometry& g, int axis) {
  switch (g.orientation[static_cast<std::size_t>(axis)]) {
    case 'L':
    case 'R': return "left-right";
    case 'A':
    case 'P': return "anterior-posterior";
    default: return "inferior-superior";
  }
}

std::string spacings(const ScanGeometry& g) {
  return text(g.spacing[0], " x ", g.spacing[1], " x ", g.spacing[2], " mm");
}

// The axis at least `ratio` times as widely spaced as both others, or -1.
int thickest(const ScanGeometry& g, double ratio) {
  for (int axis = 0; axis < 3; ++axis)
    if (spacing(g, axis) >=
        ratio * std::max(spacing(g, (axis + 1) % 3), spacing(g, (axis + 2) % 3)))
      return axis;
  return -1;
}

// The only axis with a single voxel, or -1.
int single(const ScanGeometry& g) {
  int found = -1, count = 0;
  for (int axis = 0; axis < 3; ++axis)
    if (size(g, axis) == 1) found = axis, ++count;
  return count == 1 ? found : -1;
}

struct Choice {
  int axis;
  std::string why;
};

Choice acquired_axis(const ScanGeometry& g) {
  constexpr double kMore = 1.01;  // less is rounding in the header
  if (const int axis = thickest(g, kMore); axis >= 0)
    return {axis, text("the widest spacing of ", spacings(g))};
  if (g.slice_axis >= 0 && g.slice_axis < 3) return {g.slice_axis, "the slice axis the file names"};
  if (const int axis = single(g); axis >= 0) return {axis, "the only axis with a single slice"};
  return {2, "where files keep their slices, nothing in this one says otherwise"};
}

Choice automatic_axis(const ScanGeometry& g) {
  constexpr double kClearly = 1.5;
  const int coronal = axis_along(g, "AP");
  if (const int axis = thickest(g, kClearly); axis >= 0) {
    std::string why = text("clearly the thickest of ", spacings(g), ", so the acquired slices");
    if (g.orientation_known && axis != coronal)
      why += text("; the file calls this axis ", direction_name(g, axis),
                  ", as coronal slices of prone rodents often are; ask for coronal to follow it");
    return {axis, std::move(why)};
  }
  if (!g.orientation_known) {
    Choice choice = acquired_axis(g);
    choice.why += "; the file does not say which way the head lies";
    return choice;
  }
  if (const int axis = single(g); axis >= 0 && axis != coronal)
    return {axis, "the only axis with a single slice; cut along another a slice would be a line"};
  return {coronal, text("anterior-posterior by the file's orientation ", g.orientation,
                        ", and no axis is clearly thicker")};
}

Choice choose_axis(const ScanGeometry& g, SliceAxis wanted) {
  const auto named = [&](std::string_view pair, const char* name) {
    return Choice{axis_along(g, pair),
                  text(name, ", as asked for, by the file's orientation ", g.orientation,
                       g.orientation_known ? "" : " (assumed: the file has none)")};
  };
  switch (wanted) {
    case SliceAxis::automatic: return automatic_axis(g);
    case SliceAxis::coronal: return named("AP", "coronal");
    case SliceAxis::axial: return named("IS", "axial");
    case SliceAxis::sagittal: return named("LR", "sagittal");
    case SliceAxis::acquired: return acquired_axis(g);
    case SliceAxis::axis0: return {0, "as asked for"};
    case SliceAxis::axis1: return {1, "as asked for"};
    case SliceAxis::axis2: return {2, "as asked for"};
  }
  fail(ErrorKind::internal, "unknown slice axis ", static_cast<int>(wanted));
}

}  // namespace

SliceAxis parse_slice_axis(std::string_view name) {
  for (const auto& [known, axis] : kNames)
    if (name == known) return axis;
  fail(ErrorKind::usage, "slice axis '", name,
       "': use auto, coronal, axial, sagittal, acquired, 0, 1 or 2");
}

SliceLayout find_slices(const ScanGeometry& geometry, const SliceOptions& options) {
  Choice choice = choose_axis(geometry, options.axis);
  SliceLayout layout;
  layout.axis = choice.axis;

  // Which axis runs down the picture and which across, and the direction each shall end in.
  const int left_right = axis_along(geometry, "LR"), front_back = axis_along(geometry, "AP"),
            up_down = axis_along(geometry, "IS");
  char down = 'I', across = 'R';
  if (layout.axis == front_back) {
    layout.row_axis = up_down;
    layout.column_axis = left_right;
  } else if (layout.axis == up_down) {
    layout.row_axis = front_back;
    layout.column_axis = left_right;
    down = options.axis == SliceAxis::axial ? 'P' : 'A';
  } else {
    layout.row_axis = up_down;
    layout.column_axis = front_back;
    across = 'P';
  }
  const auto runs_to = [&](int axis) {
    return geometry.orientation[static_cast<std::size_t>(axis)];
  };
  layout.rows_reversed = (runs_to(layout.row_axis) != down) != options.flip_rows;
  layout.columns_reversed = (runs_to(layout.column_axis) != across) != options.flip_columns;

  layout.slices = size(geometry, layout.axis);
  layout.slice_spacing = spacing(geometry, layout.axis);
  layout.grid = {.rows = size(geometry, layout.row_axis),
                 .columns = size(geometry, layout.column_axis),
                 .row_spacing = spacing(geometry, layout.row_axis),
                 .column_spacing = spacing(geometry, layout.column_axis)};
  layout.reason = text("slices are cut along array axis ", layout.axis, ": ", choice.why);
  return layout;
}

SliceSteps steps_of(const ScanGeometry& g, const SliceLayout& layout) {
  require(layout.slices == size(g, layout.axis) && layout.grid.rows == size(g, layout.row_axis) &&
              layout.grid.columns == size(g, layout.column_axis) &&
              layout.axis + layout.row_axis + layout.column_axis == 3,
          "slices: the layout belongs to another scan");
  const std::array<std::int64_t, 3> strides{1, g.sizes[0], g.sizes[0] * g.sizes[1]};
  const auto stride = [&](int axis) { return strides[static_cast<std::size_t>(axis)]; };
  SliceSteps steps{stride(layout.axis), stride(layout.row_axis), stride(layout.column_axis)};
  if (layout.rows_reversed) {
    steps.origin += (layout.grid.rows - 1) * steps.row;
    steps.row = -steps.row;
  }
  if (layout.columns_reversed) {
    steps.origin += (layout.grid.columns - 1) * steps.column;
    steps.column = -steps.column;
  }
  return steps;
}

RunSlices::RunSlices(const Volume& volume, SliceLayout layout)
    : times_(volume.geometry.times), layout_(std::move(layout)) {
  check(volume);
  data_ = volume.data.values<float>().data();
  const ScanGeometry& g = volume.geometry;
  steps_ = steps_of(g, layout_);
  volume_step_ = g.sizes[0] * g.sizes[1] * g.sizes[2];
}

void RunSlices::copy(std::int64_t time, std::int64_t slice, std::span<float> out) const {
  const std::int64_t rows = layout_.grid.rows, columns = layout_.grid.columns;
  require(time >= 0 && time < times_ && slice >= 0 && slice < layout_.slices, "slices: slice ",
          slice, " of volume ", time, " was asked for, there are ", layout_.slices, " in ", times_);
  require(out.size() == static_cast<std::size_t>(rows * columns), "slices: a buffer of ",
          out.size(), " for a slice of ", rows, " x ", columns);
  std::int64_t line = time * volume_step_ + slice * steps_.slice + steps_.origin;
  float* to = out.data();
  for (std::int64_t row = 0; row < rows; ++row, line += steps_.row) {
    std::int64_t pixel = line;
    for (std::int64_t column = 0; column < columns; ++column, pixel += steps_.column) {
      const float value = data_[pixel];
      *to++ = std::isfinite(value) ? value : 0.0f;
    }
  }
}

void put_slice(const ScanGeometry& geometry, const SliceLayout& layout, std::int64_t slice,
               std::span<const float> pixels, std::span<float> volume) {
  const SliceSteps steps = steps_of(geometry, layout);
  const std::int64_t rows = layout.grid.rows, columns = layout.grid.columns;
  const auto& sizes = geometry.sizes;
  require(slice >= 0 && slice < layout.slices, "slices: there is no slice ", slice, " of ",
          layout.slices, " to put back");
  require(pixels.size() == static_cast<std::size_t>(rows * columns) &&
              volume.size() == static_cast<std::size_t>(sizes[0] * sizes[1] * sizes[2]),
          "slices: ", pixels.size(), " pixels of a slice of ", rows, " x ", columns, " for ",
          volume.size(), " voxels of a volume of ", sizes[0], " x ", sizes[1], " x ", sizes[2]);
  const float* from = pixels.data();
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      volume[static_cast<std::size_t>(steps.origin + slice * steps.slice + row * steps.row +
                                      column * steps.column)] = *from++;
}

}  // namespace ratnet::inline v1
