// A row of pixels, pooled by 2x2, of a convolution of 3x3 over one channel: the first layer of
// networks of images. Its sums are so short that reading pixels and keeping sums cost as much as
// the products.
//
// With AVX-512: Winograd's F(4, 3) along the lines of the image (winograd_tiles.h has the points
// and the source). Four neighbouring sums of a line take 6 products for each of its three kernel
// lines, which are added before they are transformed: 18 products and 10 additions in place of 36
// products. Both dimensions at once, 36 products and 100 additions for 16 sums, would take no fewer
// instructions than 16 sums have products, as no channels share them. Blocking: the points of four
// lines under so many tiles as a vector has lanes are made a vector at a time, with tiles for
// lanes; then a vector of channels keeps the 18 points of its filters in registers while the tiles
// pass by. Cost: 1.46 times as fast as the sums (AMD with AVX-512, whose additions do not wait for
// multiplications; a program of its own that is not kept).
// Where a sum might be infinite or no number, and with fewer registers: the sums themselves, their
// nine weights in registers, every pixel read once for the four sums of a window that it is in.
// Tried without gain: asking for NaN in every window rather than once for a row.
#pragma once

#include "tiles.h"

namespace ratnet::inline v1 {

// Whether forward_pool_tiles() is of this kind.
bool is_one_channel(const ForwardPoolTiles& tiles);
void forward_one_channel(const ForwardPoolTiles& tiles);

}  // namespace ratnet::inline v1
