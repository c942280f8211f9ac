// Real scans, against figures computed with nibabel (real_scans.tsv).
#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>

#include "../../imaging/empty.h"
#include "../../imaging/nifti.h"
#include "../../imaging/orientation.h"
#include "../catch.h"
#include "../data.h"

using namespace ratnet;

TEST_CASE("real scans are read as nibabel reads them") {
  std::ifstream table(std::string(RATNET_SOURCE_DIR) + "/tests/imaging/real_scans.tsv");
  REQUIRE(table);
  std::string line;
  std::getline(table, line);
  int skipped = 0;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string name, orientation;
    std::int64_t sizes[4];
    double sum, weighted, least, largest, affine[12];
    fields >> name;
    for (auto& size : sizes) fields >> size;
    fields >> orientation >> sum >> weighted >> least >> largest;
    for (double& value : affine) fields >> value;
    REQUIRE(fields);
    const std::string path = real_data(name);
    if (path.empty()) {
      ++skipped;
      continue;
    }
    INFO(name);
    const Volume volume = read_nifti(path);
    CHECK(volume.data.shape() == Shape{sizes[3], sizes[2], sizes[1], sizes[0]});
    const auto values = volume.data.values<float>();
    double found = 0, found_weighted = 0, low = INFINITY, high = -INFINITY;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = values[i];
      if (!std::isfinite(value)) continue;
      found += value;
      found_weighted += value * static_cast<double>(i % 97);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    // Values are f32 here and f64 there.
    const double scale =
        std::max(std::abs(least), std::abs(largest)) * static_cast<double>(values.size());
    CHECK(std::abs(found - sum) <= 1e-7 * scale);
    CHECK(std::abs(found_weighted - weighted) <= 1e-5 * scale);
    CHECK(low == Approx(least).epsilon(1e-6));
    CHECK(high == Approx(largest).epsilon(1e-6));
    if (orientation == "-") {
      CHECK_FALSE(volume.geometry.orientation_known);
      continue;
    }
    CHECK(volume.geometry.orientation == orientation);
    for (std::size_t i = 0; i < 12; ++i)
      CHECK(volume.geometry.affine[i / 4][i % 4] == Approx(affine[i]).margin(1e-5));
  }
  if (skipped > 0) WARN("skipped: " << skipped << " real scans are absent");
}

TEST_CASE("coronal slices of real rodents stand upright") {
  // The axis is what the eye sees as coronal. Upright: the surface coil lies on the head, so the
  // upper half of the middle slice holds more signal.
  struct Case {
    const char* name;
    int axis;
    std::int64_t slices, rows, columns;
  };
  const Case cases[] = {{"rodent/rat1_EPI_forward0.nii", 1, 70, 24, 70},
                        {"rodent/mouse1_EPI_forward0.nii", 1, 16, 32, 64},
                        {"rodent/sammba_func_4d.nii.gz", 2, 12, 70, 90}};
  for (const Case& c : cases) {
    const std::string path = real_data(c.name);
    if (path.empty()) {
      WARN("skipped: " << c.name << " is absent");
      continue;
    }
    INFO(c.name);
    const Volume volume = read_nifti(path);
    const RunSlices run(volume, find_slices(volume.geometry));
    CHECK(run.layout().axis == c.axis);
    CHECK(run.slices() == c.slices);
    REQUIRE(run.grid().rows == c.rows);
    REQUIRE(run.grid().columns == c.columns);
    std::vector<float> slice(static_cast<std::size_t>(c.rows * c.columns));
    run.copy(0, c.slices / 2, slice);
    const auto middle = slice.begin() + c.rows / 2 * c.columns;
    CHECK(std::accumulate(slice.begin(), middle, 0.0) > std::accumulate(middle, slice.end(), 0.0));
  }
}

TEST_CASE("a mouse whose header calls its coronal slices axial") {
  const std::string path = real_data("rodent/mouse_t1_1_norm.nii");
  if (path.empty()) {
    WARN("skipped: no real data");
    return;
  }
  const Volume volume = read_nifti(path);
  const SliceLayout layout = find_slices(volume.geometry);
  CHECK(layout.axis == 2);
  CHECK(layout.grid.rows == 128);
  CHECK(layout.reason.find("the file calls this axis inferior-superior") != std::string::npos);
  CHECK_FALSE(layout.rows_reversed);  // its back is at the low end of axis 1
  CHECK(find_slices(volume.geometry, {.axis = SliceAxis::coronal}).grid.rows == 20);
}

TEST_CASE("the padding slice of a real run is empty, the others are not") {
  const std::string path = real_data("rodent/sammba_func_4d.nii.gz");
  if (path.empty()) {
    WARN("skipped: no real data");
    return;
  }
  const Volume volume = read_nifti(path);
  const RunSlices run(volume, find_slices(volume.geometry));
  std::vector<float> slice(static_cast<std::size_t>(run.grid().rows * run.grid().columns));
  for (std::int64_t time = 0; time < run.times(); ++time)
    for (std::int64_t s = 0; s < run.slices(); ++s) {
      run.copy(time, s, slice);
      CHECK(is_empty_slice(slice) == (s == 11));
    }
}
