// Direct convolution in f32: the input is read in place through a table of tap offsets (implicit
// GEMM), outputs stay in registers, and activation and pooling are applied to rows that are still
// in the first-level cache.
//
// Blocking: an item of work is a band of output rows, of up to four planes in 3D, of one sample.
// The band's input rows are copied once with their zero border (nothing is copied where there is no
// padding); weights are packed, once where their memory is lent (PreparedWeights), into panels of
// output channels: two vectors, or one, or with AVX-512 half of one where that holds them all. A
// panel's weights stay in the second-level cache while a row passes by; from there they come as
// fast as from the first. Summation order of an output: bias, then taps in the weight's order, then
// what is added; 3x3 over one channel with pooling by two is another kernel's
// (one_channel_tiles.h). It depends on neither threads nor the rest of the batch.
//
// One channel, without pooling by two: every tap is a number by itself, so that all taps are one
// loop. 5x5 with stride 2 to 32 channels became 1.15 times as fast, and the whole of Conv5_FC3,
// whose first layer is 3x3x3 over one channel, 1.12 times (AMD with AVX-512, bench/peers by two
// programs in turns).
//
// Few channels: neighbouring pixels of a row may become one, whose channels are those of all and
// whose kernel reaches over all of theirs, with zeros where a pixel lacks a tap. A kernel of 3 taps
// has 4 for two pixels, in place of 6, once both fill a vector. This is done where it takes fewer
// products; it spreads an infinite or NaN input over those pixels.
//
// The gradient of the weights adds outer products of input and gradient, a tile of 12 (AVX2: 6)
// weights by a panel in registers over a few lines of the image, whose dy is copied by panels for
// many rows. Where the tile's weights are neighbours, which they are within a kernel row, one
// pointer finds all their inputs. All weights pass by a band before the next one is copied; threads
// share them only where there are fewer groups of samples than threads, since each of them copies
// all bands.
//
// Cost: the products of whole panels, at 0.7 to 0.8 of the peak where a row has some hundred terms
// and the cache holds the input; less for short rows of taps (one channel in), for 2x2 without
// padding, which reads memory, and for a lone vector (its tiles load a number for every product).
// With AVX-512 tiles ask for the pixels of the next one while they multiply: 2x2 with stride 2 of
// an x of 16 x 64 x 64 x 32, 8 MB, became 1.25 times as fast; where the cache holds the input, for
// Winograd's products too, nothing was gained or lost. With AVX2 it was 1.03 there and 0.96
// elsewhere, so it is not done (least times by a program that is not kept). No gain: asking for the
// next row, or for the weights; a row by one kernel row after the other, whose weights would stay
// in the first-level cache.
#pragma once

#include "../conv.h"
#include "algorithms.h"

namespace ratnet::inline v1 {

extern const Algorithm<Conv> kConvDirect;
extern const Algorithm<ConvBackwardData> kConvDirectBackwardData;
extern const Algorithm<ConvBackwardWeights> kConvDirectBackwardWeights;

}  // namespace ratnet::inline v1
