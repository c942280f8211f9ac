// A small file of images with labels and masks, graphs that learn them, and what predict wrote.
#pragma once

#include <fstream>

#include "../../apps/program/tsv_read.h"
#include "../../core/random.h"
#include "../train/hdf5_file.h"
#include "lab.h"

namespace ratnet::test {

// 120 images of 20 subjects: none, a grey or a bright square, which their masks show.
struct GraphFiles {
  static constexpr std::size_t n = 120, side = 16, pixels = side * side;
  Folder folder;
  std::string split = folder / "split.h5", whole = folder / "whole.h5";  // with and without `split`
  std::vector<std::uint8_t> images = std::vector<std::uint8_t>(n * pixels), masks = images,
                            labels = std::vector<std::uint8_t>(n), splits = labels;

  GraphFiles() {
    Random random(3);
    std::vector<std::int32_t> subjects(n);
    for (std::size_t i = 0; i < n; ++i) {
      labels[i] = i % 3;
      subjects[i] = static_cast<std::int32_t>(i / 6);
      splits[i] = i / 6 % 5 == 4 ? 2 : i / 6 % 5 == 3 ? 1 : 0;
      const auto row = static_cast<std::size_t>(random.integer(11));
      const auto column = static_cast<std::size_t>(random.integer(11));
      for (std::size_t p = 0; p < pixels; ++p) {
        const std::size_t r = p / side, c = p % side;
        const bool inside = r >= row && r < row + 4 && c >= column && c < column + 4;
        masks[i * pixels + p] = inside ? labels[i] : 0;
        images[i * pixels + p] =
            static_cast<std::uint8_t>(random.integer(90) + 70 * masks[i * pixels + p]);
      }
    }
    for (const std::string& path : {split, whole}) {
      Hdf5File file(path);
      file.dataset("images", {n, side, side}, images);
      file.dataset("labels", {n}, labels);
      file.dataset("masks", {n, side, side}, masks);
      file.dataset("subject", {n}, subjects);
      if (path == split) file.dataset("split", {n}, splits);
      file.strings("class_names", {"none", "grey", "bright"}, true);
    }
  }

  std::vector<std::size_t> test_rows() const {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < n; ++i)
      if (splits[i] == 2) rows.push_back(i);
    return rows;
  }

  std::string path(const std::string& name) const { return folder / name; }

  // head: nodes behind `relu` [16, 16, 6], and what follows them.
  std::string graph(const std::string& name, const std::string& head) const {
    std::ofstream(path(name)) << R"({"format": 1, "nodes": [
      {"kind": "input", "name": "image", "shape": [16, 16, 1]},
      {"kind": "conv", "name": "conv", "inputs": ["image"], "out": 6, "kernel": [3, 3]},
      {"kind": "relu", "name": "relu", "inputs": ["conv"]},)"
                              << head << "}";
    return path(name);
  }

  // The model's path; what `train --json` wrote lies beside it, as MODEL.json.
  std::string train(const std::string& name, const std::string& head, const std::string& data,
                    const std::string& more = "--epochs 20") const {
    const std::string model = path(name + ".safetensors");
    well("train --graph " + graph(name + ".json", head) + " " + data + " -o " + model + " --json " +
         model + ".json --batch 8 --learning-rate 0.05 " + more);
    return model;
  }
};

inline const std::string kClassifyHead = R"(
      {"kind": "global_pool", "name": "most", "inputs": ["relu"], "by": "max"},
      {"kind": "dense", "name": "logits", "inputs": ["most"], "out": 3},
      {"kind": "softmax", "name": "probability", "inputs": ["logits"]}], "outputs": ["probability"])";
inline const std::string kSegmentHead = R"(
      {"kind": "conv", "name": "logits", "inputs": ["relu"], "out": 3, "kernel": [1, 1]},
      {"kind": "softmax", "name": "probability", "inputs": ["logits"]}],
      "outputs": ["logits", "probability"],
      "losses": [{"kind": "cross_entropy", "output": "logits", "target": "masks"},
                 {"kind": "dice", "output": "probability", "weight": 0.5}])";
inline const std::string kAutoencodeHead = R"(
      {"kind": "conv", "name": "dec/again", "inputs": ["relu"], "out": 1, "kernel": [3, 3]}],
      "outputs": ["dec/again"], "losses": [{"kind": "mse", "output": "dec/again"}])";

// What predict wrote of split.h5 or whole.h5.
inline std::string predicted(const std::string& folder, const std::string& stem,
                             const std::string& ending) {
  return folder + "/" + stem + "_desc-predicted_" + ending;
}

// An array of an HDF5 file, and its sizes.
template <class T>
std::vector<T> read_array(const std::string& path, const std::string& name,
                          const std::vector<hsize_t>& sizes) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  REQUIRE(file >= 0);
  const hid_t set = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  REQUIRE(set >= 0);
  const hid_t space = H5Dget_space(set);
  std::vector<hsize_t> stored(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, stored.data(), nullptr);
  CHECK(stored == sizes);
  std::vector<T> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  REQUIRE(H5Dread(set, hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Sclose(space);
  H5Dclose(set);
  H5Fclose(file);
  return values;
}

}  // namespace ratnet::test
