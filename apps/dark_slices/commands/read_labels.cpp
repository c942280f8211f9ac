#include "read_labels.h"

#include <filesystem>

#include "../../program/inputs.h"
#include "../../program/tsv_read.h"

namespace ratnet::inline v1 {

std::string label_path(const std::string& scan) {
  const std::filesystem::path folder = std::filesystem::path(scan).parent_path();
  return (folder / (stem_of(scan) + "_desc-truth_slices.tsv")).string();
}

std::vector<SliceLabel> read_labels(const std::string& path) {
  const TsvTable table(path);
  std::vector<SliceLabel> labels;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    SliceLabel label{.volume = table.index(row, "volume"), .slice = table.index(row, "slice")};
    const std::string& state = table.text(row, "state");
    if (state == "good" || state == "dark")
      label.label = state == "dark";
    else if (state == "ambiguous")
      label.ambiguous = true;
    else if (state != "empty" && state != "n/a")
      fail(ErrorKind::input, path, ": row ", row + 1, ": state '", state.substr(0, 32),
           "', expected good, dark, ambiguous, empty or n/a");
    label.clear = table.has("clear") && table.text(row, "clear") == "true";
    labels.push_back(label);
  }
  return labels;
}

}  // namespace ratnet::inline v1
