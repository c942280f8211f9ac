// ratnet score: maps, tables and pages of slices and scans.
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "../../train/hdf5_dataset.h"
#include "../../train/resampled_dataset.h"
#include "../train/hdf5_file.h"
#include "heads.h"
#include "turned_scan.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

template <class T>
std::vector<T> column(const std::string& path, const char* name, hid_t type) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  REQUIRE(file >= 0);
  const hid_t data = H5Dopen2(file, name, H5P_DEFAULT);
  REQUIRE(data >= 0);
  const hid_t space = H5Dget_space(data);
  std::vector<T> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  CHECK(H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Sclose(space);
  H5Dclose(data);
  H5Fclose(file);
  return values;
}

}  // namespace

TEST_CASE("scores of a file of slices stand in the file's order") {
  const Heads& h = heads();
  const std::string out = h.folder / "scores";
  const Finished scored = well("score " + h.model + " " + h.cohort + " -o " + out);
  CHECK(scored.out.find("worst first") != std::string::npos);
  const std::string index = contents(out + "/index.html");
  for (const std::string& name : files_below(out))
    if (name.ends_with(".html") && name != "index.html")
      CHECK(index.find(name + "\"") != std::string::npos);
  const auto cohort = open_hdf5_slices(h.cohort);
  const auto n = static_cast<std::size_t>(cohort->size());
  const auto maps = column<float>(out + "/scores.h5", "maps", H5T_NATIVE_FLOAT);
  const auto scores = column<float>(out + "/scores.h5", "slice_score", H5T_NATIVE_FLOAT);
  const auto p_values = column<float>(out + "/scores.h5", "p_value", H5T_NATIVE_FLOAT);
  const auto judged = column<std::uint8_t>(out + "/scores.h5", "judged", H5T_NATIVE_UINT8);
  REQUIRE(maps.size() == n * static_cast<std::size_t>(cohort->image_shape().count()));
  REQUIRE(scores.size() == n);
  std::size_t some = 0;
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(std::isnan(p_values[i]) == !judged[i]);
    if (judged[i]) CHECK((p_values[i] > 0 && p_values[i] <= 1));
    CHECK(scores[i] >= 0);
    some += judged[i];
  }
  CHECK(some > n / 2);
  const std::string table = contents(out + "/slices.tsv");
  CHECK(count_lines(table) == static_cast<int>(n) + 1);
  CHECK(count_lines(contents(out + "/subjects.tsv")) == 9);
  CHECK(json::parse(contents(out + "/subjects.json")).at("HealthySubjects") == 1);
  // Threads and a second run change nothing.
  const std::string again = h.folder / "again";
  well("score " + h.model + " " + h.cohort + " -o " + again + " --threads 1 --no-pages");
  CHECK(files_below(again).size() == 5);
  CHECK(contents(again + "/scores.h5") == contents(out + "/scores.h5"));
}

TEST_CASE("the map of a scan lies in the scan's space, whatever way it is stored") {
  const Heads& h = heads();
  const std::string out = h.folder / "maps";
  const Finished scored = well("score " + h.model + " " + h.scans + "/ -o " + out);
  CHECK(scored.out.find("slices/s") != std::string::npos);
  CHECK(contents(out + "/index.html").find("<h1><bdi>scans</bdi></h1>") != std::string::npos);
  CHECK(contents(out + "/subjects.tsv").find("\tsub-head001/anat/sub-head001_FLAIR.nii.gz\t") !=
        std::string::npos);
  int maps = 0;
  for (const std::string& name : files_below(out))
    if (name.ends_with("_desc-anomaly_map.nii.gz")) {
      const Volume map = read_nifti(out + "/" + name);
      CHECK(map.geometry.sizes == std::array<std::int64_t, 3>{128, 128, 12});
      ++maps;
    }
  CHECK(maps == 8);

  const std::string name = "sub-head001_FLAIR";
  const Volume scan = read_nifti(h.scans + "/sub-head001/anat/" + name + ".nii.gz");
  const Volume other = stored_otherwise(scan);
  CHECK(other.geometry.orientation == "IRA");
  write_nifti(h.folder / "other.nii.gz", other);
  const std::string turned = h.folder / "turned";
  well("score " + h.model + " " + (h.folder / "other.nii.gz") + " --no-pages -o " + turned);
  const std::string ending = "_desc-anomaly_map.nii.gz";
  const Volume map = read_nifti(out + "/sub-head001/anat/" + name + ending),
               other_map = read_nifti(turned + "/other" + ending);
  CHECK(other_map.geometry.orientation == "IRA");
  std::size_t unlike = 0, above = 0;
  each_voxel(scan.geometry, [&](std::size_t here, std::size_t there) {
    const float value = map.data.values<float>()[here];
    unlike += value != other_map.data.values<float>()[there];
    above += value > 0;
  });
  CHECK(unlike == 0);
  CHECK(above > 1000);
}

TEST_CASE("two scans of one subject have maps and pages of their own") {
  const Heads& h = heads();
  const Folder folder;
  const std::string scan = h.scans + "/sub-head001/anat/sub-head001_FLAIR.nii.gz";
  for (const char* name : {"sub-01_FLAIR.nii.gz", "sub-01_T1w.nii.gz"})
    std::filesystem::copy(scan, folder / name);
  const std::string out = h.folder / "two";
  well("score " + h.model + " " + folder.path() + " -o " + out);
  CHECK(files_below(out) ==
        std::vector<std::string>{"index.html", "slices.json", "slices.tsv", "sub-01_FLAIR.html",
                                 "sub-01_FLAIR_desc-anomaly_map.nii.gz", "sub-01_T1w.html",
                                 "sub-01_T1w_desc-anomaly_map.nii.gz", "subjects.json",
                                 "subjects.tsv"});
  // What would meet is refused before the work.
  Volume same = read_nifti(scan);
  write_nifti(folder / "sub-01_T1w.nii", same);
  const std::string nowhere = h.folder / "nowhere";
  CHECK(refused("score " + h.model + " " + folder.path() + " -o " + nowhere, 2)
            .err.find("two runs") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(nowhere));
}

TEST_CASE("of an input that fails midway nothing stays in the results") {
  const Heads& h = heads();
  const auto cohort = open_hdf5_slices(h.cohort);
  const std::int64_t n = 24;
  const std::int64_t size = cohort->image_shape()[0];
  Tensor images({n, size, size}, DType::f32);
  ImageReader reader(*cohort, 1);
  const auto pixels = static_cast<std::size_t>(size * size);
  for (std::int64_t row = 0; row < n; ++row)
    reader.read(row,
                images.values<float>().subspan(static_cast<std::size_t>(row) * pixels, pixels));
  const auto write = [&](const std::string& path) {
    const SampleTable& table = cohort->table();
    Hdf5File file(path);
    const std::span<const float> values = images.values<float>();
    file.dataset("images", {hsize_t(n), hsize_t(size), hsize_t(size)},
                 std::vector<float>(values.begin(), values.end()));
    file.dataset("slice", {hsize_t(n)},
                 std::vector<std::int32_t>(table.slices.begin(), table.slices.begin() + n));
    file.strings("subject",
                 std::vector<std::string>(table.subjects.begin(), table.subjects.begin() + n));
    // Of masks that no training takes: a score needs none.
    file.dataset("masks", {hsize_t(n), 2}, std::vector<std::uint8_t>(std::size_t(n) * 2, 7));
  };
  const Folder folder;
  write(folder / "a.h5");
  images.values<float>().back() = std::numeric_limits<float>::quiet_NaN();
  write(folder / "b.h5");
  const std::string out = h.folder / "midway";
  CHECK(refused_last("score " + h.model + " " + (folder / "b.h5") + " -o " + out, 3).find("b.h5") !=
        std::string::npos);
  CHECK(files_below(out).empty());
  CHECK(refused_last("score " + h.model + " " + folder.path() + " -o " + out, 3)
            .find("1 of 2 files") != std::string::npos);
  CHECK(count_lines(contents(out + "/subjects.tsv")) == 3);
  CHECK(count_lines(contents(out + "/slices.tsv")) == n + 1);
  CHECK(contents(out + "/subjects.tsv").find("b.h5") == std::string::npos);
  std::size_t pages = 0;
  for (const std::string& name : files_below(out)) {
    CHECK(name.find("b/") == std::string::npos);
    pages += name.ends_with(".html");
  }
  CHECK(pages == 3);
}

TEST_CASE("an interrupted score leaves whole maps and nothing that leads nowhere") {
  const Heads& h = heads();
  const std::string out = h.folder / "interrupted";
  RunOptions options;
  options.kill_signal = SIGINT;
  options.kill_when_exists = out + "/sub-head001/anat/sub-head001_FLAIR_desc-anomaly_map.nii.gz";
  const Finished ended = run_line("score " + h.model + " " + h.scans + " -o " + out, options);
  INFO(ended.err);
  CHECK(ended.code == 130);
  for (const std::string& name : files_below(out)) {
    INFO(name);
    CHECK(name.ends_with("_desc-anomaly_map.nii.gz"));
  }
}

TEST_CASE("a stack of too many slices is refused before it takes memory") {
  const Heads& h = heads();
  ScanGeometry geometry;
  geometry.sizes = {1, 1, 30000};
  geometry.spacing = {1, 1, 1};
  geometry.orientation_known = true;
  const Tensor voxels({1, 30000, 1, 1}, DType::u8);
  const std::string path = h.folder / "tall.nii.gz";
  write_nifti(path, voxels.view(), geometry);
  CHECK(refused("score " + h.model + " " + path + " -o " + (h.folder / "tall"), 3)
            .err.find("30000 slices, at most 2048") != std::string::npos);
}

TEST_CASE("a model of patches is scored and judged as one of slices") {
  const Heads& h = heads();
  const std::string model = h.folder / "patches.safetensors", out = h.folder / "patches";
  const std::string train = "train anomaly " + h.cohort + " -o " + model + " --method ae ";
  refused(train + "--patch 16,128", 2);
  CHECK(refused(train + "--patch 16,256,256", 2).err.find("128 voxels") != std::string::npos);
  CHECK(refused(train + "--patch 12,128,128", 2).err.find("multiple of 16") != std::string::npos);
  well(train + "--patch 16,128,128 --epochs 1");
  well("score " + model + " " + h.cohort + " -o " + out + " --no-pages");
  const auto scores = column<float>(out + "/scores.h5", "slice_score", H5T_NATIVE_FLOAT);
  CHECK(scores.size() == 8 * 12);
  CHECK(std::ranges::count_if(scores, [](float s) { return s > 0; }) > 8 * 5);
  well("evaluate " + model + " " + h.cohort + " --split test");
}

TEST_CASE("what cannot be scored is said in a line") {
  const Heads& h = heads();
  const std::string out = " -o " + (h.folder / "nowhere");
  refused("score " + h.cohort + out, 2);
  refused("score " + h.model + out, 2);
  refused("score " + h.model + " " + (h.folder / "absent.nii") + out, 5);
  refused("score " + h.model + " " + h.model + out, 3);
  refused("predict " + h.model + " " + h.cohort + out, 3);
  refused("train anomaly " + h.cohort + " -o " + (h.folder / "m.safetensors") + " --method magic",
          2);
  refused("train anomaly " + h.cohort + " -o " + (h.folder / "m.safetensors") + " --balance", 2);
  {
    Hdf5File file(h.folder / "bare.h5");
    file.dataset("images", {3, 16, 16}, std::vector<std::uint8_t>(3 * 256, 7));
  }
  CHECK(
      refused("train anomaly " + (h.folder / "bare.h5") + " -o " + (h.folder / "m.safetensors"), 3)
          .err.find("subject") != std::string::npos);
  refused("score " + h.model + " " + (h.folder / "bare.h5") + out, 3);
}
