// Brings slices of any size to the grid of a model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "volume.h"

namespace ratnet::inline v1 {

// Resampling by field of view, prepared once for many slices of one size. The slice is scaled, its
// aspect in mm kept, until it just fits the grid, and centred; pixels whose centre lies outside its
// field of view are 0. Along an axis that shrinks each pixel is the mean over its area; along one
// that grows it is interpolated linearly. A slice that already has the grid's rows and columns is
// copied where its pixels are square, to within half a pixel over the whole slice.
class SliceResampler {
 public:
  // Throws Error: usage for sizes below 1, input for spacings that are not positive or a field of
  // view more than 50 times longer than wide.
  SliceResampler(const SliceGrid& from, std::int64_t rows, std::int64_t columns);

  const SliceGrid& from() const { return from_; }
  // The result's grid; its spacing is the same along rows and columns unless it is a copy.
  const SliceGrid& to() const { return to_; }
  bool copies() const { return copies_; }

  // How many floats of scratch run() needs: one line of the slice.
  std::size_t scratch_size() const { return static_cast<std::size_t>(from_.columns); }

  // slice: [from.rows, from.columns]; result: [rows, columns]. Allocates nothing; may be called
  // from several threads, each with its own scratch. Throws Error (usage) for wrong sizes.
  void run(std::span<const float> slice, std::span<float> result, std::span<float> scratch) const;

 private:
  // Result pixel n is the sum of weights[first_weight[n] + k] * source[first[n] + k].
  struct Axis {
    std::vector<std::int64_t> first;
    std::vector<std::size_t> first_weight;  // one more than pixels
    std::vector<float> weights;
  };
  static Axis weigh(std::int64_t from, double from_spacing, std::int64_t to, double to_spacing);

  SliceGrid from_, to_;
  bool copies_ = false;
  Axis rows_, columns_;
};

// One slice, [from.rows, from.columns], to [rows, columns] f32.
Tensor resample_slice(std::span<const float> slice, const SliceGrid& from, std::int64_t rows,
                      std::int64_t columns);

}  // namespace ratnet::inline v1
