// Rows of pixels, pooled by 2x2, of a convolution of 3x3 over one channel: the first layer of
// networks of images. Its sums are so short that reading pixels and keeping sums cost as much as
// the products.
//
// With AVX-512: Winograd's F(4, 3) along the lines of the image (winograd_tiles.h has the points
// and the source). Four neighbouring sums of a line take 6 products for each of its three kernel
// lines, which are added before they are transformed: 18 products and 10 additions in place of 36
// products. Both dimensions at once, 36 products and 100 additions for 16 sums, would take no fewer
// instructions than 16 sums have products, as no channels share them. Blocking: the points of a
// line under so many tiles as a vector has lanes are made together, with tiles for lanes, and hold
// for two rows of windows; a vector of channels keeps the 18 points of its filters in registers
// while the tiles of a row pass by. Cost: two thirds of what the sums take (0.50 ms for 32 images
// of 64 x 64 and 32 channels in place of 0.73, AMD with AVX-512, whose additions do not wait for
// multiplications; docs/decisions/0010-winograd.md).
// Price: the four sums of a line share their rounding, so that a number H times its neighbours
// costs those beside it, which do not contain it, H times the precision. Where some sum might be
// infinite or no number, which is asked once for all rows, and with fewer registers: the sums
// themselves, their nine weights in registers, every pixel read once for the four sums of a window
// that it is in.
// Tried: asking in every window cost the sums 7%; along lines, sums of lanes in place of a
// comparison of vectors cost a fifth, and making the points of four lines for every row anew a
// sixth.
#pragma once

#include "tiles.h"

namespace ratnet::inline v1 {

// Whether forward_pool_tiles() is of this kind: 3x3 taps of one channel, on a line neighbours, and
// lines as far apart as rows of sums.
bool is_one_channel(const ForwardPoolTiles& tiles);
void forward_one_channel(const ForwardPoolTiles& tiles);

}  // namespace ratnet::inline v1
