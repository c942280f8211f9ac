// The columns of a table that say which sample of a file a row is about.
#pragma once

#include <cstddef>
#include <vector>

#include "../../train/dataset.h"
#include "tsv.h"

namespace ratnet::inline v1 {

// index, and of subject, run, volume and slice what the file has.
std::vector<TsvColumn> sample_columns(const SampleTable& samples);
std::vector<TsvValue> sample_values(const SampleTable& samples, std::size_t index);

}  // namespace ratnet::inline v1
