// ratnet simulate, train, evaluate and score, of anomalies, as a lab uses them.
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "../../imaging/nifti.h"
#include "../../train/hdf5_dataset.h"
#include "../data.h"
#include "../train/hdf5_file.h"
#include "lab.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

// Made once for all tests here: eight small heads and a model that has hardly learnt anything.
struct Heads {
  Folder folder;
  std::string cohort = folder / "heads.h5", model = folder / "model.safetensors",
              scans = folder / "scans", figures = folder / "figures.json";
  std::string trained;

  Heads() {
    well("simulate anomaly --subjects 8 --seed 3 --slices 12 --contrast flair -o " + cohort +
         " --nifti " + scans);
    trained =
        well("train anomaly " + cohort + " -o " + model + " --epochs 1 --json " + figures).out;
  }
};
const Heads& heads() {
  static const Heads made;
  return made;
}

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

TEST_CASE("a model of healthy heads is trained, judged and inspected") {
  const Heads& h = heads();
  CHECK(h.trained.find("z_score") != std::string::npos);
  CHECK(h.trained.find("position only") != std::string::npos);
  const json figures = json::parse(contents(h.figures));
  for (const char* name : {"pixel_auprc", "dice_best", "dice_threshold", "slice_auroc",
                           "slice_auroc_matched", "slice_auroc_position_only"})
    CHECK(figures.contains(name));
  CHECK(figures.at("by_lesion_size").size() == 3);
  // The kinds that `simulate` drew, by name, for the model and for every rule.
  const json& kinds = figures.at("by_lesion_kind");
  CHECK_FALSE(kinds.empty());
  for (const auto& [kind, of_kind] : kinds.items()) {
    CHECK(std::set<std::string>{"hyperintense", "hypointense", "texture", "mass effect"}.contains(
        kind));
    CHECK(of_kind.at("lesion_slices") > 0);
    CHECK(h.trained.find(kind + " lesions") != std::string::npos);
    for (const json& rule : figures.at("baselines"))
      CHECK(rule.at("by_lesion_kind").at(kind).contains("pixel_auprc"));
  }
  for (const char* name : {"intensity", "z_score", "asymmetry", "pca", "nearest"})
    CHECK(figures.at("baselines").at(name).contains("pixel_auprc"));
  // Judged again from the file, the same.
  const json again = json::parse(well("evaluate " + h.model + " " + h.cohort + " --json -").out);
  CHECK(again.at("pixel_auprc") == figures.at("pixel_auprc"));
  CHECK(again.at("baselines") == figures.at("baselines"));
  CHECK(well("inspect " + h.model).out.find("anomaly") != std::string::npos);
  CHECK(well("evaluate " + h.model + " " + h.cohort + " --split all").out.find("flattered") !=
        std::string::npos);

  // Another file: baselines learn only from the one that the model was trained on.
  const std::string other = h.folder / "other.h5";
  well("simulate anomaly --subjects 4 --seed 9 --slices 12 --contrast flair -o " + other);
  const json alone =
      json::parse(well("evaluate " + h.model + " " + other + " --split all --json -").out);
  CHECK(alone.at("baselines").size() == 3);
  const json beside = json::parse(
      well("evaluate " + h.model + " " + other + " --split all --json - --healthy " + h.cohort)
          .out);
  CHECK(beside.at("baselines").size() == 6);
  CHECK(alone.at("slice_auroc") == beside.at("slice_auroc"));
  refused("evaluate " + h.model + " " + h.cohort + " --healthy " + other, 3);
  refused("evaluate " + h.model + " " + h.cohort + " --brain-level 3", 2);
  refused("evaluate " + h.model + " " + h.cohort + " --split some", 2);
}

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
  const Finished scored = well("score " + h.model + " " + h.scans + " -o " + out);
  CHECK(scored.out.find("slices/s") != std::string::npos);
  int maps = 0;
  for (const std::string& name : files_below(out))
    if (name.ends_with("_desc-anomaly_map.nii.gz")) {
      const Volume map = read_nifti(out + "/" + name);
      CHECK(map.geometry.sizes == std::array<std::int64_t, 3>{128, 128, 12});
      ++maps;
    }
  CHECK(maps >= 8);
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
