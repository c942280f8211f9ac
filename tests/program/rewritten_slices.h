// Files of slices made from others.
#pragma once

#include <string>

#include "../../train/hdf5_dataset.h"
#include "../../train/hdf5_write.h"

namespace ratnet::test {

// A copy of a file of slices without its masks, as change(images, table) leaves it.
template <class Change>
void rewrite(const std::string& from, const std::string& to, Change change) {
  const auto dataset = open_hdf5_slices(from);
  const Shape image = dataset->image_shape();
  Tensor images({dataset->size(), image[0], image[1], image[2]}, dataset->dtype());
  dataset->read(0, images.view());
  SampleTable table = dataset->table();
  change(images, table);
  write_hdf5_slices(to, images.view(), table, dataset->attributes());
}

}  // namespace ratnet::test
