// Direct convolution in f32: the input is read in place through a table of tap offsets (implicit
// GEMM), outputs stay in registers, and activation and pooling are applied to rows that are still
// in the first-level cache.
//
// Blocking: an item of work is a band of output rows of one sample. The band's input rows are
// copied once with their zero border (nothing is copied where there is no padding); weights are
// packed, once where their memory is lent (PreparedWeights), into panels of two vectors of output
// channels. A panel's weights stay in the first-level cache while a row passes by (9 x 32 taps x 16
// channels are 18 KB). Summation order of an output: bias, then taps in the weight's order. It
// depends on neither threads nor the rest of the batch.
#pragma once

#include "../conv.h"
#include "algorithms.h"

namespace ratnet::inline v1 {

extern const Algorithm<Conv> kConvDirect;
extern const Algorithm<ConvBackwardData> kConvDirectBackwardData;
extern const Algorithm<ConvBackwardWeights> kConvDirectBackwardWeights;

}  // namespace ratnet::inline v1
