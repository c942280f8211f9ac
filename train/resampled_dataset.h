// A dataset seen on another grid.
#pragma once

#include <memory>

#include "dataset.h"

namespace ratnet::inline v1 {

// Images of `source` brought to [rows, columns, C] f32 by imaging/resample.h, pixels taken as
// square. Where the source has that size already it is returned as it is. Throws Error (input)
// where the shapes cannot be brought together.
std::unique_ptr<Dataset> resampled(std::unique_ptr<Dataset> source, std::int64_t rows,
                                   std::int64_t columns);

// Image `index` of a dataset of one channel as f32 [H, W]; blocks are read ahead, so going through
// the images in order is cheap. One thread at a time.
class ImageReader {
 public:
  // How many images, at least 1, are read ahead.
  ImageReader(Dataset& dataset, std::int64_t ahead);
  explicit ImageReader(Dataset& dataset);  // as many as suit how they are stored
  void read(std::int64_t index, std::span<float> image);

 private:
  Dataset& dataset_;
  Tensor block_;
  std::int64_t first_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace ratnet::inline v1
