// Which images a model has learnt from, known again by their exact pixels.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "../network/model.h"
#include "image_hash.h"

namespace ratnet::inline v1 {

// Of every image 53 bits of its hash, as many as a coefficient of a model keeps, ascending; images
// of a single value are left out. Absent where they are so many that they would fill the model
// file's header.
std::optional<std::vector<double>> marks_of(std::span<const ImageHash> images);

// Those that a model keeps among its coefficients by that name; null where it does not. Throws
// Error (input) where they do not ascend.
const std::vector<double>* marks_in(const Model& model, const std::string& name);

// Those of both, where they are not too many.
std::optional<std::vector<double>> merged_marks(std::span<const double> a,
                                                std::span<const double> b);

// Whether an image is among those of marks_of(); one of a single value never is.
bool is_marked(std::span<const double> marks, const ImageHash& image);

}  // namespace ratnet::inline v1
