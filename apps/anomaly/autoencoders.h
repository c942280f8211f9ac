// Autoencoders that learn what healthy slices look like, so that what they cannot repeat stands
// out.
#pragma once

#include "../../network/graph.h"

namespace ratnet::inline v1 {

struct DenoisingAutoencoderOptions {
  Sizes size = {64, 64};  // two numbers for slices, three for volumes; multiples of 2^(levels - 1)
  std::int64_t channels = 1;
  Sizes widths = {16, 32, 64, 128};  // channels of each level
};

// A U-Net that removes noise (Kascenas, Pugeault and O'Neil, MIDL 2022): in each level two 3x3
// convolutions with batch normalisation and ReLU, the first of the levels below with stride 2;
// nearest-neighbour upsampling, skips concatenated. Input "image" and output "reconstruction"
// [size..., channels]. Nodes enc1/conv1, norm1, relu1, conv2, ... to enc4; dec3/up, dec3/skip,
// dec3/conv1, ... to dec1; reconstruction. 487,713 trainable numbers.
Graph denoising_autoencoder_graph(const DenoisingAutoencoderOptions& options = {});

struct AutoencoderOptions {
  Sizes size = {64, 64};  // two numbers for slices, three for volumes; multiples of 2^levels
  std::int64_t channels = 1;
  Sizes widths = {16, 32, 64, 128};
  std::int64_t code = 128;  // numbers in the bottleneck
};

// All of the image through a dense bottleneck, as compared by Baur and others (Medical Image
// Analysis, 2021). Down: in each level a 3x3 convolution with stride 2, batch normalisation and
// ReLU. Up: the same sizes backward, by nearest-neighbour upsampling before each convolution, which
// leaves no checkerboard (Odena, Dumoulin and Olah, 2016). Input "image" and output
// "reconstruction" [size..., channels]. Nodes enc1/conv, norm, relu, ... to enc4; enc/flatten;
// code; dec/dense, dec/relu, dec/image; dec4/up, conv, norm, relu, ... to dec1; reconstruction.
Graph convolutional_autoencoder_graph(const AutoencoderOptions& options = {});

// The same with a code of which mean and log variance are learnt (Kingma and Welling, 2014):
// outputs "reconstruction", "mean" and "log_variance" [code], between which the node "code" draws
// the sample; outside training it is the mean.
Graph variational_autoencoder_graph(const AutoencoderOptions& options = {});

}  // namespace ratnet::inline v1
