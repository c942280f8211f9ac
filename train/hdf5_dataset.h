// Slices in an HDF5 file: a dataset for training, and a description for people. A file is first
// read to its end in a child process, because the HDF5 library can crash on a hostile one; what
// such a file does there becomes one Error (input).
//
// The schema: `images` [N, H, W], [N, H, W, C] or, of volumes, [N, D, H, W, C] (u8, u16, i16, f32),
// `labels` [N] (255 = unlabelled); optional `masks` [N, H, W] or [N, D, H, W] u8, `subject`,
// `session`, `run` (strings or integers [N]), `volume`, `slice` (integers [N]), `split` (0 train, 1
// validation, 2 test) and any further u8 [N]; attributes `class_names` and `scale` on the root, or
// else on the images (class_names also on the labels). Common other names and layouts are
// understood; each such reading is told in notes().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataset.h"

namespace ratnet::inline v1 {

struct Hdf5Options {
  bool labels_required = true;  // predict works on slices without labels
  // Images that take no more are kept in memory as the child process read them; others are read
  // again from the file when they are needed.
  std::size_t keep_bytes = std::size_t{256} << 20;
};

// Opens a file of slices. Throws Error: file_system when it cannot be opened, input when it is not
// HDF5, does not follow the schema, holds pixels that are not finite, refers to other files, or
// makes the HDF5 library fail in any way.
std::unique_ptr<Dataset> open_hdf5_slices(const std::string& path, const Hdf5Options& options = {});

// The masks of such a file, a label for every pixel (255: none), as a dataset of u8 images [H, W,
// 1] or [D, H, W, 1] in the order of the slices; null where the file has none. Throws Error as
// open_hdf5_slices does.
std::unique_ptr<Dataset> open_hdf5_masks(const std::string& path);

// What an HDF5 file holds, for `ratnet inspect`.
struct Hdf5Description {
  struct Item {
    std::string name;                  // path inside the file
    std::string type;                  // "u8", "f32 big-endian", "string", "compound", ...
    std::vector<std::uint64_t> shape;  // empty for a scalar
    std::string storage;               // "contiguous", "chunks of 64x64x64, shuffle, deflate", ...
  };
  std::vector<Item> items;  // the datasets, at most 1000
  bool more_items = false;  // there are others

  // Whether it is a dataset of slices; `problem` says why it is not.
  bool is_slices = false;
  std::string problem;

  // The rest is filled where it is.
  std::vector<std::string> notes;
  std::int64_t size = 0;
  Shape image_shape;  // [H, W, C] or [D, H, W, C]
  DType dtype = DType::u8;
  double minimum = 0;  // of all pixels
  double maximum = 0;
  std::int64_t constant_images = 0;        // images whose pixels are all equal
  std::vector<std::int64_t> label_counts;  // by label; empty without labels
  std::int64_t unlabelled = 0;
  std::int64_t subjects = 0;  // how many different ones; 0 where the file names none
  std::int64_t sessions = 0;
  std::int64_t runs = 0;
  bool has_masks = false;
  bool has_splits = false;
  std::array<std::int64_t, 3> split_counts{};  // images by Split
  std::vector<std::string> columns;            // further u8 columns
  DatasetAttributes attributes;
  std::string content_hash;  // of all images: combined_hash()
};

// Throws Error as open_hdf5_slices does, except that a sound HDF5 file which is no dataset of
// slices is described too.
Hdf5Description describe_hdf5(const std::string& path);

}  // namespace ratnet::inline v1
