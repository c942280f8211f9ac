// The plain convolution: patches are copied into a matrix (im2col; Chellapilla and others, 2006)
// and Eigen multiplies. Any stride, dilation and padding, f32 and f64. The other algorithms are
// measured and tested against it.
#pragma once

#include "../conv.h"
#include "algorithms.h"

namespace ratnet::inline v1 {

extern const Algorithm<Conv> kConvIm2col;
extern const Algorithm<ConvBackwardData> kConvIm2colBackwardData;
extern const Algorithm<ConvBackwardWeights> kConvIm2colBackwardWeights;

}  // namespace ratnet::inline v1
