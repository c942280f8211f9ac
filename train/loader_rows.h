// Some images of a dataset, held in memory in their stored type.
#pragma once

#include <cstdint>
#include <vector>

#include "../core/tensor.h"
#include "../core/thread_pool.h"
#include "dataset.h"

namespace ratnet::inline v1 {

// How many consecutive images the loader reads and shuffles together: whole chunks, and no fewer
// than 64 images where chunks are small.
std::int64_t loader_block(const Dataset& dataset);

// The bytes that one reading thread may take beside the images themselves.
std::size_t loader_reader_bytes(const Dataset& dataset);

class LoadedRows {
 public:
  // Reads the given rows (ascending, each once), whole chunks at a time, by all workers of the
  // executor. Throws what the dataset throws.
  LoadedRows(Dataset& dataset, std::vector<std::int64_t> rows, Executor& readers);

  // All images of a dataset that is in memory already; they are not copied.
  explicit LoadedRows(ConstView resident);

  // One image in the dataset's type; throws Error (internal) for a row that was not asked
  // for.
  ConstView image(std::int64_t row) const;

 private:
  std::vector<std::int64_t> rows_;  // of images_; empty where that holds every row
  AlignedMemory owned_;
  ConstView images_;
  Shape image_shape_;
  std::size_t image_bytes_ = 0;
};

}  // namespace ratnet::inline v1
