// ratnet simulate, train and evaluate, of anomalies, as a lab uses them.
#include <nlohmann/json.hpp>
#include <set>

#include "../train/hdf5_file.h"
#include "heads.h"
#include "rewritten_slices.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

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
  const std::string unlabelled = folder / "unlabelled.h5";
  rewrite(cohort, unlabelled, [](Tensor&, SampleTable& table) { table.labels.clear(); });
  nothing(unlabelled, "of no test subject is known");
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
    file.dataset("labels", {24}, std::vector<std::uint8_t>(24, kUnlabelled));
  }
  CHECK(refused_last("evaluate " + h.model + " " + trained + " --split validation", 3)
            .find("trained.h5: has no subjects in split validation") != std::string::npos);
  CHECK(refused_last("evaluate " + h.model + " " + trained + " --split all", 3)
            .find("trained.h5: tells of nobody") != std::string::npos);
  CHECK(
      refused_last("train anomaly " + trained + " -o " + (h.folder / "none.safetensors"), 3)
          .find("trained.h5: no subject has split validation, so nobody is left to calibrate by") !=
      std::string::npos);
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
