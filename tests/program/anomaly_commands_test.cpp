// ratnet simulate, train, evaluate and score, of anomalies, as a lab uses them.
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "../../imaging/nifti.h"
#include "../../network/model.h"
#include "../../train/hdf5_dataset.h"
#include "../../train/resampled_dataset.h"
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

// The last line on stderr of a command that must end with `code`.
std::string refused_last(const std::string& line, int code) {
  const Finished result = run_line(line);
  INFO(line << "\n" << result.err);
  CHECK(result.code == code);
  const std::size_t last = result.err.rfind("ratnet: ");
  return last == std::string::npos ? "" : result.err.substr(last);
}

// A scan stored with its axes in the order z, x, y and the first and last of them turned round.
Volume stored_otherwise(const Volume& scan) {
  Volume other;
  ScanGeometry& to = other.geometry;
  const ScanGeometry& from = scan.geometry;
  to = from;
  to.sizes = {from.sizes[2], from.sizes[0], from.sizes[1]};
  constexpr std::size_t kFrom[3] = {2, 0, 1};
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double step = from.affine[row][kFrom[axis]];
      to.affine[row][axis] = axis == 1 ? step : -step;
      if (axis != 1) to.affine[row][3] += step * static_cast<double>(to.sizes[axis] - 1);
    }
  to.spacing = spacing_of(to.affine);
  to.orientation = orientation_of(to.affine);
  to.slice_axis = 0;
  other.data = Tensor({1, to.sizes[2], to.sizes[1], to.sizes[0]}, DType::f32);
  return other;
}

// Where voxel (x, y, z) of a scan lies in it as stored_otherwise().
std::size_t other_place(const std::array<std::int64_t, 3>& sizes, std::int64_t x, std::int64_t y,
                        std::int64_t z) {
  return static_cast<std::size_t>((sizes[2] - 1 - z) +
                                  sizes[2] * (x + sizes[0] * (sizes[1] - 1 - y)));
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
  for (const char* name : {"intensity", "z_score", "asymmetry", "structure_loss", "pca", "nearest"})
    CHECK(figures.at("baselines").at(name).contains("pixel_auprc"));
  // Judged again from the file, the same.
  const json again = json::parse(well("evaluate " + h.model + " " + h.cohort + " --json -").out);
  CHECK(again.at("pixel_auprc") == figures.at("pixel_auprc"));
  CHECK(again.at("baselines") == figures.at("baselines"));
  CHECK(well("inspect " + h.model).out.find("anomaly") != std::string::npos);
  for (const char* split : {"all", "train", "validation"})
    CHECK(
        well("evaluate " + h.model + " " + h.cohort + " --split " + split).out.find("flattered") !=
        std::string::npos);
  CHECK(well("evaluate " + h.model + " " + h.cohort).out.find("flattered") == std::string::npos);
}

TEST_CASE("the rules beside a model learn from the file it was trained on, or from --healthy") {
  const Heads& h = heads();
  const std::string other = h.folder / "other.h5";
  well("simulate anomaly --subjects 4 --seed 9 --slices 12 --contrast flair -o " + other);
  const json alone =
      json::parse(well("evaluate " + h.model + " " + other + " --split all --json -").out);
  CHECK(alone.at("baselines").size() == 3);
  const json beside = json::parse(
      well("evaluate " + h.model + " " + other + " --split all --json - --healthy " + h.cohort)
          .out);
  CHECK(beside.at("baselines").size() == 7);
  CHECK(alone.at("slice_auroc") == beside.at("slice_auroc"));
  refused("evaluate " + h.model + " " + h.cohort + " --healthy " + other, 3);
}

TEST_CASE("a training without lesions to test by gives what evaluate gives") {
  const Folder folder;
  const std::string cohort = folder / "healthy.h5", model = folder / "model.safetensors",
                    figures = folder / "figures.json", scans = folder / "scans";
  well("simulate anomaly --subjects 5 --lesioned 0 --seed 4 --slices 12 --contrast flair -o " +
       cohort + " --nifti " + scans);
  const std::string train = " -o " + model + " --epochs 1 --json " + figures;
  const Finished trained = well("train anomaly " + cohort + train);
  const json told = json::parse(contents(figures));
  CHECK(told == json::parse(well("evaluate " + model + " " + cohort + " --json -").out));
  CHECK(told.at("pixel_auprc").is_null());
  CHECK(told.at("slice_auroc").is_null());
  CHECK(told.at("patients") == 1);
  CHECK(told.at("healthy_slices") > 3);
  CHECK(told.at("threshold") > 0);
  CHECK(told.at("detection").at("false_alarm_rate") == 0.5);
  CHECK(told.at("detection").at("healthy_subjects").at("of") == 1);
  CHECK(told.at("warnings").at(0).get<std::string>().find("no slice judged has a lesion") == 0);
  CHECK(trained.out.find("called by mistake") != std::string::npos);
  CHECK(trained.out.find("n/a") == std::string::npos);

  // Of whom nothing is known, nothing is told but what the model promises, and why.
  const auto nothing = [&](const std::string& data, const std::string& why) {
    const Finished other = well("train anomaly " + data + train);
    CHECK(other.out.find("warning: " + why) != std::string::npos);
    const json of_nobody = json::parse(contents(figures));
    CHECK(of_nobody.at("patients") == 0);
    CHECK(of_nobody.at("pixel_auprc").is_null());
    CHECK(of_nobody.at("threshold") > 0);
    CHECK(of_nobody.at("detection").at("false_alarm_rate") > 0);
    CHECK(of_nobody.at("warnings").size() == 1);
    CHECK(of_nobody.at("warnings").at(0).get<std::string>().find(why) == 0);
  };
  nothing(scans, "no subject was kept for testing");
  const hid_t file = H5Fopen(cohort.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  REQUIRE(file >= 0);
  for (const char* name : {"labels", "masks"})
    if (H5Lexists(file, name, H5P_DEFAULT) > 0) REQUIRE(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
  REQUIRE(H5Fclose(file) >= 0);
  nothing(cohort, "of no test subject is known");
}

TEST_CASE("what anomalies cannot be judged by is said in a line") {
  const Heads& h = heads();
  refused("evaluate " + h.model + " " + h.cohort + " --brain-level 3", 2);
  refused("evaluate " + h.model + " " + h.cohort + " --split some", 2);
  // A file whose splits leave one out.
  const std::string trained = h.folder / "trained.h5";
  {
    Hdf5File file(trained);
    file.dataset("images", {24, 16, 16}, std::vector<std::uint8_t>(24 * 256, 7));
    std::vector<std::int32_t> numbers;
    std::vector<std::string> names;
    for (int i = 0; i < 24; ++i) {
      numbers.push_back(i % 12);
      names.push_back(i < 12 ? "a" : "b");
    }
    file.dataset("slice", {24}, numbers);
    file.strings("subject", names);
    file.dataset("split", {24}, std::vector<std::uint8_t>(24, 0));
  }
  CHECK(refused_last("evaluate " + h.model + " " + trained + " --split validation", 3)
            .find("trained.h5: has no subjects in split validation") != std::string::npos);
  // A damaged model is named.
  std::string damaged = contents(h.model);
  const std::size_t method = damaged.find("denoising");
  REQUIRE(method != std::string::npos);
  damaged.replace(method, 9, "denoisinx");
  const std::string path = h.folder / "damaged.safetensors";
  std::ofstream(path, std::ios::binary) << damaged;
  for (const std::string command : {"evaluate ", "score -o nowhere "})
    CHECK(refused(command + path + " " + h.cohort, 3).err.find("damaged.safetensors: does not") !=
          std::string::npos);
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

TEST_CASE("scans that the model has learnt from are told, whatever they are called") {
  const Heads& h = heads();
  const Folder folder;
  // The scans with slices that the model knows, and all others.
  const auto scored = [&](const std::string& what) {
    const std::string out = folder / "scores";
    const Finished said = well("score " + what + " -o " + out);
    std::map<std::string, std::string> learnt;  // the last column, by name
    std::istringstream rows(contents(out + "/subjects.tsv"));
    for (std::string row; std::getline(rows, row);)
      learnt[row.substr(0, row.find('\t'))] = row.substr(row.rfind('\t') + 1);
    CHECK(learnt.at("subject") == "learnt_slices");
    learnt.erase("subject");
    const std::size_t at = said.out.find("warning: the model learnt from");
    const std::string warning =
        at == std::string::npos ? "" : said.out.substr(at, said.out.find('\n', at) - at);
    CHECK((contents(out + "/index.html").find("slices of 4 of 8") != std::string::npos) ==
          (warning.find("slices of 4 of 8") != std::string::npos));
    return std::pair(learnt, warning);
  };
  const auto [by_head, warning] = scored(h.model + " " + h.cohort);
  REQUIRE(by_head.size() == 8);
  std::string seen, unseen;
  for (const auto& [name, learnt] : by_head) (learnt == "0" ? unseen : seen) = name;
  // Of eight, four are for testing.
  CHECK(std::ranges::count(by_head, "0", [](const auto& row) { return row.second; }) == 4);
  CHECK(std::stoi(by_head.at(seen)) > 3);
  CHECK(warning.find("slices of 4 of 8 subjects (") != std::string::npos);
  CHECK(warning.find(" and 1 more): what it says of them is flattered") != std::string::npos);

  // The same pixels as a scan of another name and orientation.
  const auto file_of = [&](const std::string& head) {
    return h.scans + "/sub-" + head + "/anat/sub-" + head + "_FLAIR.nii.gz";
  };
  const Volume scan = read_nifti(file_of(seen));
  Volume turned = stored_otherwise(scan);
  const auto& sizes = scan.geometry.sizes;
  std::size_t i = 0;
  for (std::int64_t z = 0; z < sizes[2]; ++z)
    for (std::int64_t y = 0; y < sizes[1]; ++y)
      for (std::int64_t x = 0; x < sizes[0]; ++x)
        turned.data.values<float>()[other_place(sizes, x, y, z)] = scan.data.values<float>()[i++];
  const std::string scans = folder / "scans";
  std::filesystem::create_directory(scans);
  write_nifti(scans + "/known.nii", turned);
  std::filesystem::copy(file_of(unseen), scans + "/new.nii.gz");
  const auto [by_file, other] = scored(h.model + " " + scans);
  CHECK(by_file.at("known") == by_head.at(seen));
  CHECK(by_file.at("new") == "0");
  CHECK(other.find("slices of 1 of 2 subjects (known): what it says of it is flattered") !=
        std::string::npos);
  CHECK(contents(folder / "scores/known.html").find("of this scan") != std::string::npos);
  CHECK(contents(folder / "scores/new.html").find("flattered") == std::string::npos);

  // A copy with a lesion is known by its other slices.
  well("simulate lesions --diameter 20 " + scans + "/known.nii -o " + (folder / "planted"));
  const std::string evaluate = "evaluate " + h.model + " " + (folder / "planted");
  CHECK(well(evaluate).out.find("flattered") != std::string::npos);

  // A model of before it told its slices.
  const std::string old = folder / "old.safetensors";
  Model model = load_model(h.model);
  REQUIRE(model.coefficients.erase("learnt_slices") == 1);
  save_model(model, old);
  const auto [by_old, silence] = scored(old + " " + scans);
  CHECK(by_old.at("known") == "n/a");
  CHECK(silence.empty());
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
  Volume other = stored_otherwise(scan);
  const auto& sizes = scan.geometry.sizes;
  const auto each = [&](const auto& what) {
    std::size_t i = 0;
    for (std::int64_t z = 0; z < sizes[2]; ++z)
      for (std::int64_t y = 0; y < sizes[1]; ++y)
        for (std::int64_t x = 0; x < sizes[0]; ++x) what(i++, other_place(sizes, x, y, z));
  };
  const std::span<const float> from = scan.data.values<float>();
  each(
      [&](std::size_t here, std::size_t there) { other.data.values<float>()[there] = from[here]; });
  CHECK(other.geometry.orientation == "IRA");
  write_nifti(h.folder / "other.nii.gz", other);
  const std::string turned = h.folder / "turned";
  well("score " + h.model + " " + (h.folder / "other.nii.gz") + " --no-pages -o " + turned);
  const std::string ending = "_desc-anomaly_map.nii.gz";
  const Volume map = read_nifti(out + "/sub-head001/anat/" + name + ending),
               other_map = read_nifti(turned + "/other" + ending);
  CHECK(other_map.geometry.orientation == "IRA");
  std::size_t unlike = 0, above = 0;
  each([&](std::size_t here, std::size_t there) {
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

TEST_CASE("sessions of a subject are never parted and have a row each") {
  const Heads& h = heads();
  const Folder folder;
  const auto scan = [&](int head) {
    return h.scans + "/sub-head00" + std::to_string(head) + "/anat/sub-head00" +
           std::to_string(head) + "_FLAIR.nii.gz";
  };
  const auto put = [&](int head, const std::string& as) {
    std::filesystem::create_directories(std::filesystem::path(folder / as).parent_path());
    std::filesystem::copy(scan(head), folder / as);
  };
  const std::string model = h.folder / "sessions.safetensors", out = h.folder / "sessions";
  const std::string train = "train anomaly " + folder.path() + " --epochs 1 -o " + model;
  // Two name no subject but by their folders.
  put(1, "sub-01/ses-1/sub-01_ses-1_FLAIR.nii.gz");
  put(2, "sub-01/ses-2/sub-01_ses-2_run-1_FLAIR.nii.gz");
  put(3, "sub-02/ses-1/FLAIR.nii.gz");
  put(4, "sub-02/ses-2/FLAIR.nii.gz");
  put(5, "sub-03_FLAIR.nii.gz");
  const Finished trained = well(train);
  CHECK((trained.out + trained.err).find("subjects: 1") != std::string::npos);
  CHECK((trained.out + trained.err).find("2 scans") != std::string::npos);
  const std::string facts = well("inspect " + model + " --json").out;
  // Of three, one trains; the two others calibrate.
  CHECK(facts.find("\"training_subjects\": \"1\"") != std::string::npos);
  CHECK(trained.out.find("1 in 3") != std::string::npos);

  const Finished scored = well("score " + model + " " + folder.path() + " -o " + out);
  CHECK(scored.out.find("5 scans of 3 subjects") != std::string::npos);
  const std::string table = contents(out + "/subjects.tsv");
  for (const char* row :
       {"\nsub-01_ses-1_FLAIR\tsub-01/ses-1/", "\nsub-01_ses-2_run-1_FLAIR\tsub-01/ses-2/",
        "\nsub-02/ses-1/FLAIR\t", "\nsub-02/ses-2/FLAIR\t", "\nsub-03_FLAIR\t"})
    CHECK(table.find(row) != std::string::npos);
  CHECK(contents(out + "/index.html").find("<bdi>sub-02/ses-2/FLAIR</bdi>") != std::string::npos);
  CHECK(std::filesystem::exists(out + "/sub-02/ses-2/FLAIR_desc-anomaly_map.nii.gz"));

  // Of a folder of several kinds of scans one is chosen.
  put(6, "sub-01/ses-1/sub-01_ses-1_T1w.nii.gz");
  CHECK(refused(train, 3).err.find("--suffix T1w") != std::string::npos);
  well(train + " --suffix FLAIR");
  CHECK(well("inspect " + model + " --json").out == facts);
  well("score " + model + " " + folder.path() + " --suffix T1w --no-pages -o " + out + "-t1");
  CHECK(count_lines(contents(out + "-t1/subjects.tsv")) == 2);
  CHECK(refused("evaluate " + model + " " + folder.path(), 3).err.find("--suffix") !=
        std::string::npos);
  const std::string evaluate = "evaluate " + model + " " + folder.path() + " --suffix FLAIR";
  CHECK(refused_last(evaluate, 3).find("--split all") != std::string::npos);
  CHECK(refused_last(evaluate + " --split all", 3).find("tells of nobody") != std::string::npos);
  Volume none = read_nifti(scan(5));
  std::ranges::fill(none.data.values<float>(), 0.0f);
  write_nifti(folder / "sub-03_label-lesion_mask.nii.gz", none);
  CHECK(well(evaluate + " --split all").out.find("3 patients") != std::string::npos);
  refused("score " + model + " " + scan(1) + " --suffix FLAIR -o " + out, 2);
  refused("train anomaly " + h.cohort + " --suffix FLAIR -o " + model, 2);
  refused("evaluate " + model + " " + h.cohort + " --suffix FLAIR", 2);

  // Names that do not tell whose they are.
  put(7, "p1/FLAIR.nii.gz");
  put(8, "p2/FLAIR.nii.gz");
  CHECK(refused(train + " --suffix FLAIR", 3).err.find("do not tell whose they are") !=
        std::string::npos);
  std::filesystem::remove(folder / "sub-02/ses-1/FLAIR.nii.gz");
  CHECK(well("score " + model + " " + folder.path() + " --suffix FLAIR --no-pages -o " + out + "-p")
            .out.find("6 scans of 5 subjects") != std::string::npos);
}

TEST_CASE("sessions in a file of slices are scans of their own") {
  const Heads& h = heads();
  const auto cohort = open_hdf5_slices(h.cohort);
  const auto n = static_cast<std::size_t>(cohort->size());
  const Shape shape = cohort->image_shape();
  const SampleTable& table = cohort->table();
  // Heads 1 and 2 are one subject's, and so on.
  std::vector<std::string> subjects, sessions;
  std::map<std::string, std::size_t> place;
  for (const std::string& name : table.subjects) {
    const std::size_t i = place.try_emplace(name, place.size()).first->second;
    subjects.push_back("p" + std::to_string(i / 2));
    sessions.push_back(std::to_string(i % 2));
  }
  const std::string path = h.folder / "sessions.h5", out = h.folder / "file-sessions";
  {
    Hdf5File file(path);
    Tensor floats(shape.batch_of(cohort->size()), DType::f32);
    ImageReader reader(*cohort, 1);
    const auto pixels = static_cast<std::size_t>(shape.count());
    for (std::size_t row = 0; row < n; ++row)
      reader.read(static_cast<std::int64_t>(row),
                  floats.values<float>().subspan(row * pixels, pixels));
    const std::span<const float> values = floats.values<float>();
    file.dataset("images", {hsize_t(n), hsize_t(shape[0]), hsize_t(shape[1])},
                 std::vector<float>(values.begin(), values.end()));
    file.dataset("slice", {hsize_t(n)}, table.slices);
    file.strings("subject", subjects);
    file.strings("session", sessions);
  }
  CHECK(well("score " + h.model + " " + path + " --no-pages -o " + out)
            .out.find("8 scans of 4 subjects") != std::string::npos);
  CHECK(contents(out + "/subjects.tsv").find("\np3_ses-1\t") != std::string::npos);
  // The same scans under other names.
  well("score " + h.model + " " + h.cohort + " --no-pages -o " + out + "-before");
  CHECK(contents(out + "/scores.h5") == contents(out + "-before/scores.h5"));
  const Finished trained =
      well("train anomaly " + path + " --epochs 1 -o " + (h.folder / "s.safetensors"));
  CHECK((trained.out + trained.err)
            .find("subjects: 2 (4 scans) to train on, 1 (2 scans) to calibrate, 1 (2 scans) to "
                  "test") != std::string::npos);
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

TEST_CASE("lesions planted in scans leave all else as it was, and are judged by their masks") {
  const Heads& h = heads();
  const Folder folder;
  const std::string scans = folder / "scans", out = folder / "planted";
  well("simulate anomaly --subjects 2 --lesioned 0 --seed 5 --slices 24 --contrast flair -o " +
       (folder / "heads.h5") + " --nifti " + scans);
  // One is stored otherwise.
  const std::string name = "/sub-head001/anat/sub-head001", ending = "_label-lesion_mask.nii.gz";
  const Volume scan = read_nifti(scans + name + "_FLAIR.nii.gz");
  Volume other = stored_otherwise(scan);
  const auto& sizes = scan.geometry.sizes;
  std::size_t i = 0;
  for (std::int64_t z = 0; z < sizes[2]; ++z)
    for (std::int64_t y = 0; y < sizes[1]; ++y)
      for (std::int64_t x = 0; x < sizes[0]; ++x)
        other.data.values<float>()[other_place(sizes, x, y, z)] = scan.data.values<float>()[i++];
  write_nifti(folder / "other.nii", other);

  const std::string plant = "simulate lesions --diameter 25 --contrast 4 ";
  CHECK(
      well(plant + scans + " -o " + out).out.find("2 scans with 1 hyperintense lesion of 25 mm") !=
      std::string::npos);
  well(plant + (folder / "other.nii") + " -o " + (folder / "turned"));
  const Volume planted = read_nifti(out + name + "_FLAIR.nii.gz"),
               mask = read_nifti(out + name + ending),
               turned = read_nifti(folder / "turned/other.nii.gz"),
               turned_mask = read_nifti(folder / ("turned/other" + ending));
  CHECK(planted.geometry.affine == scan.geometry.affine);
  CHECK(mask.geometry.affine == scan.geometry.affine);
  CHECK(turned.geometry.orientation == "IRA");
  std::size_t lesion = 0, brighter = 0, unlike = 0, plain = 0;
  i = 0;
  for (std::int64_t z = 0; z < sizes[2]; ++z)
    for (std::int64_t y = 0; y < sizes[1]; ++y)
      for (std::int64_t x = 0; x < sizes[0]; ++x, ++i) {
        const float before = scan.data.values<float>()[i], after = planted.data.values<float>()[i];
        const std::size_t there = other_place(sizes, x, y, z);
        lesion += mask.data.values<float>()[i] == 1;
        brighter += mask.data.values<float>()[i] == 1 && after > before;
        plain += after == before;
        unlike += turned.data.values<float>()[there] != after ||
                  turned_mask.data.values<float>()[there] != mask.data.values<float>()[i];
      }
  CHECK(lesion > 100);
  CHECK(brighter == lesion);
  CHECK(plain > 0.98 * static_cast<double>(i));
  CHECK(plain < i - lesion);  // the rim is soft
  CHECK(unlike == 0);

  // The masks beside the scans are what they are judged by, whatever way they are stored.
  const json judged = json::parse(well("evaluate " + h.model + " " + out + " --json -").out);
  CHECK(judged.at("detection").at("lesions").at("of") == 2);
  CHECK(judged.at("detection").at("lesion_subjects").at("of") == 2);
  CHECK(judged.at("detection").at("healthy_slices").at("of") > 10);
  CHECK(judged.at("detection").at("false_alarm_rate") == 0.5);
  CHECK(judged.at("pixel_auprc") > 0.2);
  const std::string alone = "evaluate " + h.model + " " + (folder / "turned");
  CHECK(well(alone).out.find("lesions            1 of 1, half") != std::string::npos);

  // What cannot be is refused, and no scan and no mask of another's hand is written over.
  CHECK(refused(plant + scans + " -o " + scans, 2).err.find("written over") != std::string::npos);
  std::filesystem::create_directory(folder / "own");
  std::filesystem::copy(folder / "other.nii", folder / "own/sub-01_T2w.nii");
  const std::string drawn = folder / ("own/sub-01" + ending), hand = "drawn by hand";
  std::ofstream(drawn) << hand;
  for (const char* to : {"own", "own/", "own/../own"})
    CHECK(refused(plant + (folder / "own/sub-01_T2w.nii") + " -o " + (folder / to), 2)
              .err.find("written over") != std::string::npos);
  CHECK(contents(drawn) == hand);
  CHECK(files_below(folder / "own").size() == 2);
  // A mask that is named as a scan would go where the other's mask goes.
  std::filesystem::copy(folder / "other.nii", folder / "own/sub-01_label-lesion_mask.nii");
  CHECK(refused(plant + (folder / "own/sub-01_label-lesion_mask.nii") + " " +
                    (folder / "own/sub-01_T2w.nii") + " -o " + (folder / "nowhere"),
                2)
            .err.find("would both write") != std::string::npos);
  refused("simulate lesions " + scans + " -o " + out + " --kind texture", 2);
  refused("simulate lesions " + scans + " -o " + out + " --diameter 0", 2);
  refused("simulate lesions " + (folder / "heads.h5") + " -o " + out, 3);
  CHECK(refused_last("simulate lesions --diameter 60 --lesions 20 " + (folder / "other.nii") +
                         " -o " + (folder / "nowhere"),
                     3)
            .find("no room for 20 lesions of 60 mm") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "nowhere"));
  Volume odd = read_nifti(folder / ("turned/other" + ending));
  for (const float value : {2.0f, std::nanf(""), std::numeric_limits<float>::infinity()}) {
    odd.data.values<float>()[7] = value;
    write_nifti(folder / ("turned/other" + ending), odd);
    CHECK(refused_last(alone, 3).find("lesions are 1 and all else is 0") != std::string::npos);
  }
  write_nifti(folder / ("turned/other" + ending), mask);
  CHECK(refused_last(alone, 3).find("does not lie as its scan does") != std::string::npos);
}
