#include "sample_columns.h"

namespace ratnet::inline v1 {

std::vector<TsvColumn> sample_columns(const SampleTable& samples) {
  std::vector<TsvColumn> columns = {{"index", "position in the file, from 0"}};
  if (!samples.subjects.empty()) columns.push_back({"subject", "as the file has it"});
  if (!samples.runs.empty()) columns.push_back({"run", "as the file has it"});
  if (!samples.volumes.empty()) columns.push_back({"volume", "as the file has it"});
  if (!samples.slices.empty()) columns.push_back({"slice", "as the file has it"});
  return columns;
}

std::vector<TsvValue> sample_values(const SampleTable& samples, std::size_t index) {
  std::vector<TsvValue> row = {static_cast<std::int64_t>(index)};
  if (!samples.subjects.empty()) row.push_back(samples.subjects[index]);
  if (!samples.runs.empty()) row.push_back(samples.runs[index]);
  if (!samples.volumes.empty()) row.push_back(std::int64_t{samples.volumes[index]});
  if (!samples.slices.empty()) row.push_back(std::int64_t{samples.slices[index]});
  return row;
}

}  // namespace ratnet::inline v1
