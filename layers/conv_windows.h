// The windows of a convolution layer, as operations take them.
#pragma once

#include "../kernels/window.h"
#include "conv.h"

namespace ratnet::inline v1::layers {

// input: [N, spatial..., Cin]. Throw Error (usage) where the layer does not fit it.
Window window_of(const Conv& layer, const Shape& input);
// Rank 0 where there is no pooling.
Window pool_of(const Conv& layer, const Shape& input);

}  // namespace ratnet::inline v1::layers
