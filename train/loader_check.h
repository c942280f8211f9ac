// Whether a dataset can be loaded as it is asked for.
#pragma once

#include <span>

#include "loader.h"

namespace ratnet::inline v1 {

// Throws Error: usage for options out of range or of another dataset, input where masks, labels to
// balance by, or patches, are asked of a dataset that has none such.
void check_loading(const Dataset& dataset, std::span<const std::int64_t> indices,
                   const LoaderOptions& options);

}  // namespace ratnet::inline v1
