// Convolution in f32 with up to 4 channels out, as at the end of an autoencoder or a U-Net: a
// direct convolution (conv_direct.h) in which the lanes of a vector hold neighbouring terms of a
// sum in place of channels. A pixel's patch is a few runs of consecutive floats, a kernel row's
// taps with all their channels, so both factors are read as vectors; eight sums (8 pixels, 4 of 2
// channels or 2 of 4) stay in registers, and their lanes are added at the end, all eight at once.
//
// In the gradient of the weights lanes hold neighbouring weights of a run; a run's sums stay in
// registers while the rows of a plane pass by.
//
// Blocking: as conv_direct.h; what is left of a run after whole vectors is a vector that reaches
// back over terms already counted, which are masked. Runs shorter than a vector are declined.
// Cost: a vector load per 8 terms, where the direct kernels multiply a panel of mostly zeros. With
// AVX2, 64x64 pixels and 8 or 32 channels in it took, beside those, 1/8 to 2/3 of the time forward,
// 1/6 to 9/10 for the gradient of the input and 1/8 to 2/3 for that of the weights; least is gained
// by kernels of 1x1 over many channels, which wait for memory.
// Summation order: DotTiles, DotGradient (dot_tiles.h); planes in at most 8 groups, then these in
// order. It depends on neither threads nor the rest of the batch; in that of the weights'
// gradient, which sums over the batch, not on threads.
#pragma once

#include "../conv.h"
#include "algorithms.h"
#include "conv_bands.h"

namespace ratnet::inline v1 {

extern const Algorithm<Conv> kConvFewChannels;
extern const Algorithm<ConvBackwardData> kConvFewChannelsBackwardData;
extern const Algorithm<ConvBackwardWeights> kConvFewChannelsBackwardWeights;

namespace few_channels {
// Why these kernels do not take a problem, or nullptr.
const char* declines(const conv_bands::Problem& problem, std::int64_t groups, DType dtype);
}  // namespace few_channels

}  // namespace ratnet::inline v1
