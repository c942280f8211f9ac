// Labels that lie beside a scan, in a table.
#pragma once

#include <string>
#include <vector>

#include "../labelled_runs.h"

namespace ratnet::inline v1 {

// Where the labels of a scan are: beside a/sub-01_task-rest_bold.nii.gz that is
// a/sub-01_task-rest_desc-truth_slices.tsv.
std::string label_path(const std::string& scan);

// Columns `volume`, `slice` and `state` (good, dark, ambiguous, empty, n/a), perhaps `clear` (true,
// false); others are passed over. Throws Error: file_system, input.
std::vector<SliceLabel> read_labels(const std::string& path);

}  // namespace ratnet::inline v1
