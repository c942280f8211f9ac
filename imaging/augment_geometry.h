// Random movements of a training image together with its mask.
#pragma once

#include "../core/random.h"
#include "deformation.h"

namespace ratnet::inline v1 {

// Each change is off while its range is empty, and otherwise made in its share of the images, as
// in nnU-Net (Isensee and others, Nature Methods 2021). All of them become one resampling.
struct GeometryAugmentation {
  Number3 rotation{};  // about D, H, W: uniform up to this many degrees either way
  double rotation_chance = 0.2;
  double scaling = 1;        // sizes times up to this or divided by up to it, either as often
  bool same_scaling = true;  // along all axes; otherwise each has a factor of its own
  double scaling_chance = 0.2;
  double shear = 0;  // up to this many mm along one axis for each mm along another, either way
  double shear_chance = 0.2;
  std::array<bool, 3> mirror{};  // along D, H, W: in half of the images
  // Elastic deformation (Simard, Steinkraus, Platt, ICDAR 2003) by a B-spline of normal
  // coefficients. Its displacements have a deviation of up to `elastic` mm along each axis, uniform
  // over the images; coefficients end at 0.4 knot spacings, below which nothing folds (Choi and
  // Lee, Graphical Models 62, 2000).
  double elastic = 0;
  double elastic_spacing = 32;  // mm between knots
  double elastic_chance = 0.2;
  float outside = 0;  // what the image is where nothing of it moved to; the mask is 0 there
  LabelSampling labels = LabelSampling::majority;

  bool any() const;
};

// Throws Error (usage), naming the member, for a number out of range.
void check_augmentation(const GeometryAugmentation& options);

// Draws what happens to an image of this grid with `spacing` mm between its voxels along D, H, W.
// How many numbers are drawn depends on the options, the grid and the chances, never on values.
Deformation draw_deformation(const GeometryAugmentation& options, const ImageGrid& grid,
                             const Number3& spacing, Random& random);

// draw_deformation() and deform(), whose arguments these are.
void augment_geometry(const GeometryAugmentation& options, const Number3& spacing,
                      const ConstView& image, const ConstView& mask, const View& moved,
                      const View& moved_mask, Random& random);

}  // namespace ratnet::inline v1
