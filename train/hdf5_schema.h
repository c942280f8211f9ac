// Which dataset of an HDF5 file plays which part: by name, under the names that people use.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "dataset.h"
#include "hdf5_listing.h"

namespace ratnet::inline v1 {

enum class Hdf5Role : int { images, labels, masks, subject, session, run, volume, slice, split };
constexpr std::size_t kHdf5Roles = 9;

// Which of a file's datasets are read as the images.
enum class Hdf5Pixels : int { images, masks };

// The datasets that describe one stretch of samples: the whole file, or one split of it. Pointers
// into the listing, null where there is none.
struct Hdf5Part {
  std::optional<Split> split;  // where the names say it: train_X
  std::array<const Hdf5DatasetInfo*, kHdf5Roles> roles{};

  const Hdf5DatasetInfo* operator[](Hdf5Role role) const {
    return roles[static_cast<std::size_t>(role)];
  }
};

struct Hdf5Schema {
  std::vector<Hdf5Part> parts;                  // one, or one for each split
  bool volumes = false;                         // the images are [N, D, H, W, C]
  std::vector<const Hdf5DatasetInfo*> columns;  // further u8 [N]
  std::vector<std::string> notes;               // what was assumed
};

// Names are compared in lower case, with '/', '-', '.' and ' ' as '_'. Throws Error (input) when no
// dataset can be the images, or the masks where those are read.
Hdf5Schema find_schema(const Hdf5Listing& listing, Hdf5Pixels pixels = Hdf5Pixels::images);

}  // namespace ratnet::inline v1
