// predict on real scans: those of the animals RatNet is for, and clean human runs.
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "../../imaging/nifti.h"
#include "../../train/hdf5_write.h"
#include "../data.h"
#include "lab.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

// What predict says of one input.
json predicted(const Lab& lab, const std::string& input, int times) {
  const std::string results = lab.folder / "results";
  const Finished done = run_program({"predict", lab.model, input, "-o", results});
  INFO(input << "\n" << done.err);
  REQUIRE(done.code == 0);
  std::string stem = std::filesystem::path(input).filename().string();
  stem = stem.substr(0, stem.find('.'));
  const std::string base = results + "/" + stem + "_desc-darkslices";
  const json sidecar = json::parse(contents(base + "_slices.json"));
  const int count = sidecar.at("SlicesGood").get<int>() + sidecar.at("SlicesDark").get<int>() +
                    sidecar.at("SlicesEmpty").get<int>() +
                    sidecar.at("SlicesUnfamiliar").get<int>();
  CHECK(count_lines(contents(base + "_slices.tsv")) == count + 1);
  if (times > 0) {
    CHECK(count % times == 0);
    CHECK(contents(base + "_map.png").size() > 1000);
  }
  return sidecar;
}

}  // namespace

TEST_CASE("predict runs on real rodent scans") {
  if (real_data("rodent").empty()) {
    WARN("skipped: no real data");
    return;
  }
  const Lab lab;
  for (const char* name : {"rat1_EPI_forward0.nii", "rat1_EPI_reverse0.nii",
                           "mouse1_EPI_forward0.nii", "mouse1_EPI_reverse0.nii"}) {
    const json said = predicted(lab, real_data(std::string("rodent/") + name), 1);
    CHECK(said.at("BrainLevel").get<double>() > 0);
  }
}

TEST_CASE("predict calls padding empty in a real 4D run") {
  const std::string scan = real_data("rodent/sammba_func_4d.nii.gz");
  if (scan.empty()) {
    WARN("skipped: no real data");
    return;
  }
  const Lab lab;
  const json said = predicted(lab, scan, 3);
  CHECK(said.at("SlicesEmpty") == 3);
  std::istringstream lines(
      contents(lab.folder / "results/sammba_func_4d_desc-darkslices_slices.tsv"));
  std::string line;
  std::getline(lines, line);
  int rows = 0;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::string volume, slice, probability, call;
    cells >> volume >> slice >> probability >> call;
    INFO(line);
    CHECK((call == "empty") == (slice == "11"));
    ++rows;
  }
  CHECK(rows == 36);
}

TEST_CASE("predict judges 30 slices of awake rats from HDF5") {
  if (real_data("rodent/awake_rat_282_t18_slices.npy").empty()) {
    WARN("skipped: no real data");
    return;
  }
  const Lab lab;
  // .npy of u8 [15, 64, 64]: the pixels stand at the end of the file.
  constexpr std::size_t kPixels = 15 * 64 * 64;
  Tensor images({30, 64, 64}, DType::u8);
  SampleTable table;
  int rat = 0;
  for (const char* name : {"awake_rat_282_t18", "awake_rat_283_t44"}) {
    const std::string bytes = contents(real_data(std::string("rodent/") + name + "_slices.npy"));
    REQUIRE(bytes.rfind("\x93NUMPY", 0) == 0);
    REQUIRE(bytes.find("'|u1'") < 128);
    REQUIRE(bytes.find("(15, 64, 64)") < 128);
    REQUIRE(bytes.size() > kPixels);
    std::memcpy(static_cast<std::uint8_t*>(images.data()) + rat * kPixels,
                bytes.data() + bytes.size() - kPixels, kPixels);
    for (std::int32_t slice = 0; slice < 15; ++slice) {
      table.labels.push_back(kUnlabelled);
      table.subjects.push_back(name);
      table.slices.push_back(slice);
    }
    ++rat;
  }
  const std::string path = lab.folder / "awake.h5";
  write_hdf5_slices(path, images.view(), table);
  const json said = predicted(lab, path, 0);
  CHECK(said.at("StretchedSlices") == true);
  CHECK(said.at("Notes").get<std::string>().find("stretched") != std::string::npos);
}

TEST_CASE("predict runs on clean human runs") {
  if (real_data("human").empty()) {
    WARN("skipped: no real data");
    return;
  }
  const Lab lab;
  std::string counts;
  for (const char* name : {"example4d", "bold4d/haxby_half_slice", "bold4d/haxby_25mm",
                           "bold4d/haxby_one_slice", "bold4d/nipy_functional"}) {
    const std::string scan = real_data(std::string("human/") + name + ".nii.gz");
    INFO(name);
    REQUIRE_FALSE(scan.empty());
    const auto times = static_cast<int>(read_nifti_info(scan).geometry.times);
    const json said = predicted(lab, scan, times);
    counts += std::string("\n  ") + name + ": " + said.at("SlicesDark").dump() + " called dark, " +
              said.at("SlicesGood").dump() + " good, " + said.at("SlicesEmpty").dump() +
              " empty, " + said.at("SlicesUnfamiliar").dump() + " unfamiliar";
  }
  WARN("by a hastily trained model:" << counts);
}
