// 2D slices of a scan, coronal and upright whatever way its array lies.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "volume.h"

namespace ratnet::inline v1 {

// Which array axis the slices are cut along.
//   automatic  the acquired stack where one axis is clearly thicker (1.5 times both others), else
//              the file's anterior-posterior axis. Reason: dropout strikes acquired slices, and the
//              thick slices of rodent scans are coronal even where a header, written for people
//              lying on their back, calls them axial.
//   coronal, axial, sagittal   the anterior-posterior, inferior-superior, left-right axis, by the
//              file's orientation alone
//   acquired   the axis of the widest spacing; between equals the one the file names, else the only
//              one with a single slice, else axis 2
//   axis0..2   that array axis
enum class SliceAxis { automatic, coronal, axial, sagittal, acquired, axis0, axis1, axis2 };

// "auto", "coronal", "axial", "sagittal", "acquired", "0", "1", "2". Throws Error (usage).
SliceAxis parse_slice_axis(std::string_view name);

struct SliceOptions {
  SliceAxis axis = SliceAxis::automatic;
  bool flip_rows = false;     // after the automatic choice: top to bottom
  bool flip_columns = false;  // left to right
};

// How slices lie in the array.
//
// Display: superior (dorsal, by a correct rodent header) in row 0, the subject's left in column 0.
// Slices along the inferior-superior axis have posterior in row 0, because they are the mislabelled
// coronal slices of a prone animal, whose back the header calls posterior; only where `axial` was
// asked for by name is anterior in row 0. Slices along the left-right axis have anterior in
// column 0. Slices keep the array's order.
struct SliceLayout {
  int axis = 2;  // cut along this array axis
  int row_axis = 1;
  int column_axis = 0;
  bool rows_reversed = false;  // row 0 is the last voxel along row_axis
  bool columns_reversed = false;
  std::int64_t slices = 0;
  SliceGrid grid;
  double slice_spacing = 1;  // mm
  std::string reason;        // a sentence for the report: which axis, and why
};

// Every scan has slices along every axis.
SliceLayout find_slices(const ScanGeometry& geometry, const SliceOptions& options = {});

// Steps from slice to slice and pixel to pixel in an array whose axis 0 runs fastest.
struct SliceSteps {
  std::int64_t slice = 0, row = 0, column = 0;
  std::int64_t origin = 0;  // of pixel (0, 0) in slice 0
};
// Throws Error (usage) where the layout belongs to another scan.
SliceSteps steps_of(const ScanGeometry& geometry, const SliceLayout& layout);

// Walks the slices of a run. Borrows the volume.
class RunSlices {
 public:
  RunSlices(const Volume& volume, SliceLayout layout);

  std::int64_t times() const { return times_; }
  std::int64_t slices() const { return layout_.slices; }
  const SliceLayout& layout() const { return layout_; }
  const SliceGrid& grid() const { return layout_.grid; }

  // out: [rows, columns]; voxels that are not finite are given as 0. Allocates nothing; may be
  // called from several threads. Throws Error (usage) for an index or size out of range.
  void copy(std::int64_t time, std::int64_t slice, std::span<float> out) const;

 private:
  const float* data_ = nullptr;
  std::int64_t times_ = 0;
  SliceLayout layout_;
  std::int64_t volume_step_ = 0;
  SliceSteps steps_;
};

// What RunSlices::copy() reads, put back. pixels: [rows, columns]; volume: the voxels of one time.
// Throws Error (usage) as it does, and where the layout belongs to another scan.
void put_slice(const ScanGeometry& geometry, const SliceLayout& layout, std::int64_t slice,
               std::span<const float> pixels, std::span<float> volume);

}  // namespace ratnet::inline v1
