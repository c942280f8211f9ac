// A movement of an image together with its labels, carried out by one resampling.
//
// Axes are D, H, W (an image [H, W] has no D: what turns or stretches it does so in its plane), in
// the array's order; ScanGeometry numbers them the other way round.
#pragma once

#include <array>
#include <vector>

#include "../core/image_grid.h"

namespace ratnet::inline v1 {

using Number3 = std::array<double, 3>;  // of D, H, W

// A uniform cubic B-spline of displacements over an image (Rueckert and others, IEEE TMI 1999).
// Along an axis of one voxel it has one knot, along others knot k lies (k - 1) * spacing mm from
// the first voxel.
struct DisplacementField {
  double spacing = 1;                // mm between knots
  std::vector<double> coefficients;  // mm, [knots along D, H, W, 3]; empty: nothing is displaced
};

// How many knots a field over such an image has along each axis.
Size3 knots_of(const ImageGrid& grid, const Number3& spacing, double knot_spacing);

// What happens to an image, in this order; turning and stretching about its centre, in mm, so that
// voxels of unequal sides keep the shape of what they show. Nothing moves along an axis of one
// voxel.
struct Deformation {
  Number3 spacing{1, 1, 1};  // mm between voxel centres
  Number3 scale{1, 1, 1};    // above 1 what is shown grows
  Number3 shear{};           // H by D, W by D, W by H: W moves by shear[2] mm for each mm along H
  Number3 rotation{};        // degrees about D (turns H to W), about H (W to D), about W (D to H)
  DisplacementField field;   // a voxel of the result shows what was displaced by this from it
  std::array<bool, 3> mirror{};
};

// How labels are resampled, which cannot be mixed.
//   majority  the label with the largest share of the eight neighbours, weighted as the image's
//             are; between equals the lowest. Borders stay smooth and lie where the image's do, but
//             of lesions of one voxel, which the image blurs, many disappear: moved by any part of
//             a voxel, 73 in 100 in a volume and 39 in an image.
//   nearest   the nearest voxel's: sizes are kept on average, down to one voxel; borders are jagged
enum class LabelSampling { majority, nearest };

// image: f32 [H, W, C] or [D, H, W, C], resampled linearly into `moved`; mask: u8 [H, W] or
// [D, H, W] into moved_mask, or both without memory. Outside the image lies `outside`, with
// label 0. What ends on a voxel is copied exactly. Throws Error (usage) for shapes that do not
// agree, overlapping memory, and numbers that make no movement.
void deform(const Deformation& deformation, const ConstView& image, const ConstView& mask,
            const View& moved, const View& moved_mask, float outside = 0,
            LabelSampling labels = LabelSampling::majority);

}  // namespace ratnet::inline v1
