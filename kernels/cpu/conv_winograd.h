// Winograd's minimal filtering F(4x4, 3x3) in f32 (Winograd 1980; Lavin and Gray 2016): kernels of
// 3x3 with stride 1 in the last two dimensions, with any kernel along depth, at a quarter of the
// direct method's products.
//
// A 4x4 tile of outputs needs a 6x6 tile of inputs. Both are transformed to 36 points (see
// winograd_tiles.h), where a convolution is a product of matrices for each point: [tiles, channels
// in] by [channels in, channels out]. The gradient of the weights is the same with the roles
// turned: [channels in, tiles] by [tiles, channels out].
//
// Blocking: an item of work is a block of neighbouring tiles, over rows, planes and samples alike,
// so that small images fill it too. Its points stay in the second-level cache between the
// transforms and the products; the products use the register tiles of the direct convolution.
// Points of the output are written over those of the input that the product before has used up,
// which the first-level cache holds still. The filters are transformed where they are not lent from
// an earlier run (PreparedWeights), for an image's cost of a tile or two.
// The gradient of the weights adds every block to the sums at all points, so its blocks have more
// tiles where the sums are many; a problem of one block finishes a few rows of its gradient at a
// time, whose sums never leave the cache.
// Cost, in multiply-adds per output and pair of channels: 36/16 = 2.25 in place of 9; the
// transforms add about 9 per channel in and 6 per channel out, which is why few channels are
// declined; and whole tiles are computed at the edges, which is why small odd images are. Summation
// order of an output: its tile's points, each over depth and then channels in, then bias, then what
// is added. It depends on neither threads nor the rest of the batch. Errors are about those of
// direct sums of the same length; but an infinite or NaN input spoils all 16 outputs of a tile.
#pragma once

#include "../conv.h"
#include "algorithms.h"

namespace ratnet::inline v1 {

extern const Algorithm<Conv> kConvWinograd;
extern const Algorithm<ConvBackwardData> kConvWinogradBackwardData;
extern const Algorithm<ConvBackwardWeights> kConvWinogradBackwardWeights;

}  // namespace ratnet::inline v1
