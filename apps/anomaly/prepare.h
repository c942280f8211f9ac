// From a subject's pixels to what the anomaly system judges, and maps back to the input's pixels.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "../../imaging/volume.h"
#include "bias_field.h"
#include "brain_mask.h"
#include "prepared_subject.h"

namespace ratnet::inline v1 {

// Of one subject: what is made of a slice is many times what it took in the file.
constexpr std::int64_t kMostSlices = 2048;

struct PreparationOptions {
  BrainMaskOptions brain;
  BiasFieldOptions bias_field;  // in that brain; without it the brain is looked for anew
  double lesion_share = 0.5;    // a pixel is lesion where lesions cover as much of it
  // Normalised: centre + contrast * (x - median) / interquartile range, both of the judged slices'
  // brain without its rim, cut at 0 and `highest`; a brighter lesion does not darken the rest.
  double rim = 3;  // pixels
  double centre = 0.5;
  double contrast = 0.15;
  double highest = 1.6;
  // Slices, by the area of the brain over the largest slice's.
  double position_bottom = 0.3;  // position 0 is the lowest slice with more
  double position_top = 0.08;    // position 1 is the highest slice with more
  double judged_area = 0.4;      // judged are slices with more,
  double judged_top = 0.95;      // at positions from 0 to here
};

// Throws Error (usage) for numbers that make no preparation.
void check(const PreparationOptions& options);

struct SubjectSlices {
  std::string name;
  std::string subject = {};  // PreparedSubject::subject
  ConstView images;          // f32 [S, H, W], axial, bottom to top
  double row_spacing = 1;    // mm, or both 1 where nothing is known
  double column_spacing = 1;
  ConstView masks = {};  // u8 [S, H, W], 1 in lesions; no data where none are known
  std::span<const std::uint8_t> labels = {};       // [S] as in PreparedSubject, or empty
  std::span<const std::string> lesion_kinds = {};  // the same
};

// Where no brain is found, or it is all of one brightness, no slice is judged and the images are 0.
// Throws Error: input, naming the subject, for too many slices, values that are not finite, masks
// of other values than 0 and 1, and spacings that make no picture; usage for shapes that do not
// agree.
PreparedSubject prepare_subject(const SubjectSlices& subject,
                                const PreparationOptions& options = {});

// A map on the judged grid, f32 [128, 128], in the pixels of the input, `input` as it was prepared:
// f32 [rows, columns], bilinear; beyond the outermost centres their own values. Throws Error as
// prepare_subject does.
Tensor to_input_grid(std::span<const float> map, const SliceGrid& input);

}  // namespace ratnet::inline v1
