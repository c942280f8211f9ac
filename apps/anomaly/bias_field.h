// Shading by the scanner's coils, taken out of a head's slices.
#pragma once

#include "../../core/tensor.h"

namespace ratnet::inline v1 {

// Lengths in pixels of 64 x 64 over the field of view.
struct BiasFieldOptions {
  double strongest = 0.7;     // least and largest logarithm of the field; 0: none is taken out
  double usual = 0.06;        // of the logarithm, as brains with hardly any shading have
  double rim = 2;             // of the brain, which is not looked at
  double smoothing = 0.7;     // sigma of the Gaussian before differences are taken
  double least_level = 0.15;  // of the brain's median; what is darker counts as that
  double tolerance = 0.02;    // differences of the logarithm below it are squared
};

// Throws Error (usage) for numbers that make no field.
void check(const BiasFieldOptions& options);

// Divides images, f32 [S, 128, 128] bottom to top, all finite, by a field whose median over the
// brain, u8 of the same shape, is 1. The field's logarithm is a quadratic polynomial of the place
// within a slice whose linear terms change linearly with height; of the brightness of slices it
// says nothing. Its differences between neighbours fit those of the logarithm of the brain's
// brightness (above zero_level()) by least absolute deviations, which borders of tissue, few and of
// either sign, hardly move (after Zheng, Grossman, Awate and Gee, MICCAI 2009). Heads without any
// shading give fields too, and lesions would be taken for one: the logarithm is multiplied by 1 -
// usual^2 / its variance, or 0 where that is negative, before it is cut at `strongest`. Where there
// are fewer than 500 pixels or differences nothing is changed. Returns whether anything was. Throws
// Error (usage) for other shapes and types.
bool remove_bias_field(Tensor& images, const Tensor& brain, const BiasFieldOptions& options = {});

}  // namespace ratnet::inline v1
