// What `predict` writes of one scan or file of slices.
#pragma once

#include <string>
#include <vector>

#include "../scoring.h"

namespace ratnet::inline v1 {

// Where the results of one input go: DIR/<entities>_desc-darkslices_<suffix>.
struct ReportPaths {
  std::string table, sidecar, map;
};
// The name follows BIDS derivatives: sub-01_task-rest_bold.nii.gz gives
// sub-01_task-rest_desc-darkslices_slices.tsv; other names keep all of their stem.
ReportPaths report_paths(const std::string& folder, const std::string& input);

struct ReportContext {
  std::string input;       // path, as given
  std::string model_name;  // file name of the model
  std::string model_hash;  // of its training data
};

// The table with its sidecar and the map. grid_slices: the run's slices on the model's grid.
void report_run(const RunScores& scores, const std::vector<float>& grid_slices,
                const ModelGrid& grid, const ReportContext& context, const ReportPaths& paths);

// The table with its sidecar, of loose slices (no map: they have no order in time).
void report_slices(const SliceScores& scores, const SampleTable& table,
                   const ReportContext& context, const ReportPaths& paths);

}  // namespace ratnet::inline v1
