// A network of one hidden layer, and images to train it on, for tests of how training begins.
#pragma once

#include <fstream>

#include "../../core/random.h"
#include "../train/hdf5_file.h"
#include "lab.h"

namespace ratnet::test {

struct DenseTraining : Folder {
  // hidden: how wide the layer is; last: what the layer behind it is called.
  explicit DenseTraining(std::int64_t hidden, const std::string& last = "logits") {
    constexpr hsize_t n = 16, side = 64;
    Random random(3);
    std::vector<std::uint8_t> images(n * side * side), labels(n);
    std::vector<std::int32_t> subjects(n);
    for (std::uint8_t& pixel : images) pixel = static_cast<std::uint8_t>(random.integer(256));
    for (hsize_t i = 0; i < n; ++i) {
      labels[i] = i % 2;
      subjects[i] = static_cast<std::int32_t>(i / 2);
    }
    {
      Hdf5File file(*this / "images.h5");
      file.dataset("images", {n, side, side}, images);
      file.dataset("labels", {n}, labels);
      file.dataset("subject", {n}, subjects);
    }
    std::ofstream(*this / "graph.json")
        << R"({"format": 1, "nodes": [{"kind": "input", "name": "image", "shape": [64, 64, 1]},)"
        << R"({"kind": "flatten", "name": "flat", "inputs": ["image"]},)"
        << R"({"kind": "dense", "name": "wide", "inputs": ["flat"], "out": )" << hidden << "},"
        << R"({"kind": "relu", "name": "relu", "inputs": ["wide"]},)"
        << R"({"kind": "dense", "name": ")" << last << R"(", "inputs": ["relu"], "out": 2}],)"
        << R"("outputs": [")" << last << R"("]})";
  }

  std::string model() const { return *this / "model.safetensors"; }
  // Two epochs with a checkpoint after each.
  std::string line(const std::string& more = "") const {
    return "train --graph " + (*this / "graph.json") + " " + (*this / "images.h5") + " -o " +
           model() + " --batch 8 --epochs 2 --threads 2 " + more;
  }
};

}  // namespace ratnet::test
