// The U-Net that finds microbleeds and iron deposits.
#pragma once

#include "../../network/graph.h"

namespace ratnet::inline v1 {

struct UnetOptions {
  Sizes size = {256, 256};    // two numbers for slices, three for volumes; multiples of 2^poolings
  std::int64_t channels = 3;  // susceptibility-weighted image, susceptibility map, T2
  Sizes widths = {32, 64, 128, 256, 512, 1024};  // channels of each level
};

// Ronneberger, Fischer and Brox (2015), with batch normalisation and padding as Rashid and others
// (DEEPMIR, Scientific Reports, 2021) use it; in three dimensions Cicek and others (2016). In each
// level two convolutions of 3 pixels with batch normalisation and ReLU; between levels max pooling
// of 2 down and a transposed convolution of 2 up; skips concatenated. Input "image" [size...,
// channels]; output "probability" [size..., classes]. Nodes enc1/conv1, norm1, relu1, conv2, ...,
// enc1/pool to enc6; dec5/up, dec5/skip, dec5/conv1, ... to dec1; logits; probability.
Graph unet_graph(std::int64_t classes, const UnetOptions& options = {});

}  // namespace ratnet::inline v1
