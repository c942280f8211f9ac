// Every command, run as a user runs it.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "../../imaging/nifti.h"
#include "lab.h"
#include "rewritten_slices.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

std::vector<std::vector<std::string>> read_tsv(const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(contents(path));
  for (std::string line; std::getline(lines, line);) {
    rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, '\t');) rows.back().push_back(cell);
  }
  return rows;
}

void check_figures(const json& figures) {
  for (const char* name : {"auroc", "auprc", "recall_at_1pct_fpr", "threshold", "recall", "fpr"}) {
    INFO(name);
    REQUIRE(figures.at(name).is_number());
  }
  for (const char* name : {"auroc", "auprc", "recall_at_1pct_fpr", "recall", "fpr"}) {
    CHECK(figures[name].get<double>() >= 0);
    CHECK(figures[name].get<double>() <= 1);
  }
  CHECK(figures.contains("ece"));
  REQUIRE(figures.at("auroc_ci").size() == 2);
  CHECK(figures["auroc_ci"][0].get<double>() <= figures["auroc"].get<double>());
  CHECK(figures["auroc_ci"][1].get<double>() >= figures["auroc"].get<double>());
}

bool is_png(const std::string& path) {
  const std::string bytes = contents(path);
  return bytes.rfind("\x89PNG\r\n\x1a\n", 0) == 0 && bytes.size() > 1000 &&
         bytes.compare(bytes.size() - 8, 4, "IEND") == 0;
}

}  // namespace

TEST_CASE("simulate: the seed decides every byte, threads none") {
  const Folder folder;
  const std::string simulate =
      "simulate dark-slices --animals 2 --slices-per-animal 8 --volumes 4 ";
  const auto make = [&](const std::string& name, const std::string& options) {
    well(simulate + options + " -o " + (folder / (name + ".h5")) + " --nifti " + (folder / name));
  };
  make("a", "--seed 7 --threads 1");
  make("b", "--seed 7 --threads 3");
  make("c", "--seed 8 --threads 1");
  CHECK(contents(folder / "a.h5") == contents(folder / "b.h5"));
  CHECK(contents(folder / "a.h5") != contents(folder / "c.h5"));
  const auto files = files_below(folder / "a");
  REQUIRE(files.size() == 4);
  CHECK(files[0] == "sub-rat001/func/sub-rat001_task-rest_bold.nii.gz");
  CHECK(files[1] == "sub-rat001/func/sub-rat001_task-rest_desc-truth_slices.tsv");
  REQUIRE(files_below(folder / "b") == files);
  for (const std::string& file : files) {
    CHECK(contents(folder / ("a/" + file)) == contents(folder / ("b/" + file)));
    CHECK(contents(folder / ("a/" + file)) != contents(folder / ("c/" + file)));
  }
}

TEST_CASE("simulate anomaly: slices with masks, and the same as scans") {
  const Folder folder;
  const auto make = [&](const std::string& name, const std::string& options) {
    return well("simulate anomaly --subjects 3 --slices 8 --size 64 " + options + " -o " +
                (folder / (name + ".h5")) + " --nifti " + (folder / name));
  };
  CHECK(make("a", "--seed 7 --threads 1").out.find(": 24 slices of 3 simulated subjects") !=
        std::string::npos);
  make("b", "--seed 7 --threads 3");
  make("c", "--seed 8 --contrast flair");
  CHECK(contents(folder / "a.h5") == contents(folder / "b.h5"));
  CHECK(contents(folder / "a.h5") != contents(folder / "c.h5"));
  const auto files = files_below(folder / "c");
  REQUIRE(files.size() == 4);
  const auto masks = std::count_if(files.begin(), files.end(), [](const std::string& file) {
    return file.find("_label-lesion_mask.nii.gz") != std::string::npos;
  });
  CHECK(masks == 1);  // 40% of three subjects
  const std::string scan = folder / "c/sub-head001/anat/sub-head001_FLAIR.nii.gz";
  const auto dataset = open_hdf5_slices(folder / "c.h5");
  const Volume volume = read_nifti(scan);
  CHECK(volume.geometry.orientation == "RPS");
  Tensor images({8, 64, 64, 1}, DType::u8);
  dataset->read(0, images.view());
  const auto stored = images.values<std::uint8_t>();
  const auto voxels = volume.data.values<float>();
  CHECK(std::equal(stored.begin(), stored.end(), voxels.begin(), voxels.end(),
                   [](std::uint8_t a, float b) { return static_cast<float>(a) == b; }));
}

TEST_CASE("train, evaluate and inspect a model") {
  const Lab lab;
  const std::string figures = lab.folder / "figures.json";
  const Finished evaluated =
      well("evaluate " + lab.model + " " + lab.cohort + " --json " + figures);
  CHECK(evaluated.out.find("RatNet") != std::string::npos);
  CHECK(evaluated.out.find("logistic") != std::string::npos);
  const json all = json::parse(contents(figures));
  CHECK(all.at("n").get<int>() == 40);
  CHECK(all.at("ece").is_number());
  check_figures(all);
  REQUIRE(all.at("baselines").size() >= 4);
  for (const auto& [name, baseline] : all["baselines"].items()) {
    INFO(name);
    check_figures(baseline);
  }
  const json printed =
      json::parse(well("evaluate " + lab.model + " " + lab.cohort + " --json -").out);
  CHECK(printed == all);
  const json whole = json::parse(
      well("evaluate " + lab.model + " " + lab.cohort + " --split all --threads 3 --json -").out);
  CHECK(whole.at("n").get<int>() == 240);

  // Whole scans, with the labels that lie beside them.
  const std::string scans = lab.folder / "scans";
  well("simulate dark-slices --animals 2 --slices-per-animal 10 --volumes 10 --seed 3 -o " +
       (lab.folder / "other.h5") + " --nifti " + scans);
  const std::string judge = "evaluate " + lab.model + " " + scans;
  const json runs = json::parse(well(judge + " --json -").out);
  check_figures(runs);
  check_figures(runs.at("in_time"));
  check_figures(runs.at("baselines").at("through time"));
  CHECK(runs.at("n").get<int>() > 200);
  CHECK(runs.at("n_dark").get<int>() >= 5);
  const std::string first = scans + "/sub-rat001/func/sub-rat001_task-rest_";
  refused(judge + " --split test", 2);
  refused("evaluate " + lab.model + " " + lab.cohort + " --flip-rows", 2);
  refused("predict " + lab.model + " " + lab.cohort + " --slice-axis x -o none", 2);
  std::ofstream(first + "desc-truth_slices.tsv") << "volume\tslice\tstate\n0\t999\tdark\n";
  CHECK(refused(judge, 3).err.find("slice 999") != std::string::npos);
  std::ofstream(first + "desc-truth_slices.tsv") << "volume\tslice\tstate\n0\t0\tgrey\n";
  CHECK(refused(judge, 3).err.find("state 'grey'") != std::string::npos);
  std::filesystem::remove(first + "desc-truth_slices.tsv");
  CHECK(well(judge).out.find("1 more without labels") != std::string::npos);
  refused("evaluate " + lab.model + " " + first + "bold.nii.gz", 5);

  const Finished seen = well("inspect " + lab.model + " --plan");
  for (const char* word : {"281346 parameters", "conv1", "adam", "preprocessing", "plan for"})
    CHECK(seen.out.find(word) != std::string::npos);
  const json model = json::parse(well("inspect " + lab.model + " --plan --json").out);
  CHECK(model.at("type") == "model");
  CHECK(model.at("parameters") == 281346);
  CHECK(model.at("warnings").empty());
  CHECK(model.at("metrics").at("test_auroc") == all["auroc"]);
  CHECK(model.at("threshold") == all["threshold"]);
  for (const json& step : model.at("plan").at("steps")) CHECK(step.at("layer").is_string());
  CHECK(model["plan"]["activation_bytes"].get<double>() > 0);

  const json data = json::parse(well("inspect " + lab.cohort + " --json").out);
  CHECK(data.at("type") == "hdf5");
  CHECK(data.at("subjects") == 12);
  CHECK(data.at("label_counts") == json({120, 120}));
  CHECK(data.at("splits").at("test").get<int>() >= 40);
  CHECK(well("inspect " + lab.cohort).out.find("subjects: 12") != std::string::npos);

  const json rates = json::parse(
      well("bench " + lab.model + " --batch 1,8 --threads 1,2 --seconds 0.02 --json -").out);
  REQUIRE(rates.size() == 4);
  for (const json& rate : rates) {
    CHECK(rate.at("slices_per_s").get<double>() > 0);
    CHECK(rate.at("precision") == "f32");
  }
  CHECK(rates[1].at("batch") == 8);
  CHECK(rates[2].at("threads") == 2);
  well("bench " + lab.model + " --batch 1 --seconds 0.02 --json " + (lab.folder / "rates.json"));
  CHECK(json::parse(contents(lab.folder / "rates.json")).size() == 1);
}

TEST_CASE("predict writes a table, its sidecar and a map of every run") {
  const Lab lab;
  const std::string scans = lab.folder / "scans", results = lab.folder / "results";
  well(
      "simulate dark-slices --animals 2 --slices-per-animal 8 --volumes 4 --seed 3 --varied 0 -o " +
      (lab.folder / "s.h5") + " --nifti " + scans);
  const std::string first = "sub-rat001/func/sub-rat001_task-rest_bold.nii.gz";
  // One slice position without any signal, as padding is.
  Volume volume = read_nifti(scans + "/" + first);
  const ScanGeometry g = volume.geometry;
  const std::int64_t slices = g.sizes[2], pixels = g.sizes[0] * g.sizes[1];
  auto values = volume.data.values<float>();
  for (std::int64_t v = 0; v < g.times; ++v)
    std::fill_n(values.begin() + (v * slices + 2) * pixels, pixels, 0.0f);
  write_nifti(scans + "/" + first, volume.data.view(), g);

  const Finished seen = well("predict " + lab.model + " " + scans + " -o " + results);
  CHECK(seen.out.find("4 empty, not judged") != std::string::npos);
  CHECK(
      files_below(results) ==
      std::vector<std::string>{"dataset_description.json",
                               "sub-rat001/func/sub-rat001_task-rest_desc-darkslices_map.png",
                               "sub-rat001/func/sub-rat001_task-rest_desc-darkslices_slices.json",
                               "sub-rat001/func/sub-rat001_task-rest_desc-darkslices_slices.tsv",
                               "sub-rat002/func/sub-rat002_task-rest_desc-darkslices_map.png",
                               "sub-rat002/func/sub-rat002_task-rest_desc-darkslices_slices.json",
                               "sub-rat002/func/sub-rat002_task-rest_desc-darkslices_slices.tsv"});
  CHECK(json::parse(contents(results + "/dataset_description.json")).at("DatasetType") ==
        "derivative");
  const std::string stem = results + "/sub-rat001/func/sub-rat001_task-rest_desc-darkslices";
  CHECK(is_png(stem + "_map.png"));

  const auto rows = read_tsv(stem + "_slices.tsv");
  REQUIRE(static_cast<std::int64_t>(rows.size()) == 1 + g.times * slices);
  std::map<std::string, std::size_t> column;
  for (std::size_t i = 0; i < rows[0].size(); ++i) column[rows[0][i]] = i;
  std::map<std::string, int> calls;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    REQUIRE(rows[i].size() == rows[0].size());
    const auto at = static_cast<std::int64_t>(i) - 1;
    CHECK(rows[i][column.at("volume")] == std::to_string(at / slices));
    CHECK(rows[i][column.at("slice")] == std::to_string(at % slices));
    const std::string& call = rows[i][column.at("call")];
    ++calls[call];
    const bool empty = at % slices == 2;
    CHECK((call == "empty") == empty);
    CHECK((rows[i][column.at("probability")] == "n/a") == empty);
  }
  const json sidecar = json::parse(contents(stem + "_slices.json"));
  for (const std::string& name : rows[0]) CHECK(sidecar.at(name).contains("Description"));
  CHECK(sidecar.at("SlicesEmpty") == 4);
  CHECK(sidecar.at("SlicesDark") == calls["dark"]);
  CHECK(sidecar.at("Model") == "model.safetensors");
  CHECK(sidecar.at("RepetitionTime").is_number());

  const json scan = json::parse(well("inspect --json " + scans + "/" + first).out);
  CHECK(scan.at("type") == "scan");
  CHECK(scan.at("volumes") == g.times);
  CHECK(scan.at("slices") == slices);
  CHECK(well("inspect " + scans + "/" + first).out.find("orientation") != std::string::npos);

  // Loose slices: a row each, no map. Any number of threads, the same bytes.
  for (const char* threads : {"1", "3"})
    well("predict " + lab.model + " " + lab.cohort + " --threads " + threads + " -o " +
         (lab.folder / threads));
  const std::string table = "cohort_desc-darkslices_slices.tsv";
  CHECK(read_tsv(lab.folder / ("1/" + table)).size() ==
        1 + static_cast<std::size_t>(open_hdf5_slices(lab.cohort)->size()));
  CHECK(contents(lab.folder / ("1/" + table)) == contents(lab.folder / ("3/" + table)));
  CHECK(files_below(lab.folder / "1").size() == 3);

  // One unusable file among several is told; the others are done.
  std::ofstream(scans + "/bad.nii") << "not a scan";
  const Finished mixed =
      run_line("predict " + lab.model + " " + scans + " -o " + (lab.folder / "mixed"));
  CHECK(mixed.code == 3);
  CHECK(mixed.err.find("1 of 3 files") != std::string::npos);
  CHECK(files_below(lab.folder / "mixed").size() == 7);
}

TEST_CASE("devices are listed, and what cannot be used says why") {
  const json list = json::parse(well("devices --json").out);
  REQUIRE(list.size() >= 2);
  CHECK(list[0].at("device") == "cpu");
  CHECK(list[0].at("usable") == true);
  CHECK(list[1].at("device") == "cuda:0");
  const std::string text = well("devices").out;
  CHECK(text.find("cpu") == 0);
  if (list[1].at("usable") == true) return;
  const std::string reason = list[1].at("reason");
  CHECK(text.find(reason) != std::string::npos);
  const Lab lab;
  CHECK(refused("bench " + lab.model + " --device cuda", 4).err == "ratnet: " + reason + "\n");
}

TEST_CASE("exit codes say whose fault it was, in one line") {
  const Lab lab;
  const std::string here = lab.folder.path() + "/";
  const auto before = files_below(lab.folder.path());
  const std::string predict = "predict " + lab.model + " ";

  refused("predict", 2);
  refused("nonsense", 2);
  refused("train dark-slices", 2);
  refused(predict + lab.cohort + " -o " + here + "x --no-such-option", 2);
  refused(predict + lab.cohort + " -o " + here + "x --slice-axis oblique", 2);
  refused(predict + lab.cohort + " -o " + here + "x --device abacus", 2);
  refused(predict + lab.cohort + " -o " + here + "x --precision half", 2);
  refused("inspect " + lab.model + " --device cpu", 2);  // of a plan that nobody wants
  refused("inspect " + lab.model + " --tune", 2);
  CHECK(refused("bench " + lab.model + " --device cuda --tune", 2).err.find("the CPU only") !=
        std::string::npos);
  refused("inspect " + lab.cohort + " --plan", 2);
  refused("evaluate " + lab.model + " " + lab.cohort + " --split some", 2);
  refused("evaluate " + lab.model, 2);
  refused("train dark-slices " + lab.cohort + " -o " + here + "x.h5", 2);
  refused("train dark-slices " + lab.cohort + " -o " + here + "x.safetensors --optimiser best", 2);
  const std::string train = "train dark-slices " + lab.cohort + " -o " + here + "x.safetensors ";
  refused(train + "--group bias", 2);
  refused(train + "--plateau-patience 2", 2);  // of a schedule that nobody asked for
  refused(train + "--ema-warm-up", 2);
  for (const char* option : {"--group nothing=0", "--ema 1", "--accumulate 0"})
    CHECK(run_line(train + option).code == 2);  // after what is said of the file
  refused("simulate dark-slices --animals 0 -o " + here + "x.h5", 2);
  for (const char* option : {"--subjects 0", "--slices 7", "--size 63", "--lesioned 1.1",
                             "--contrast pet", "--subjects 10000 --size 256"})
    refused("simulate anomaly -o " + here + "x.h5 " + option, 2);
  refused("bench " + lab.model + " --batch 0", 2);
  CHECK(run_line("").code == 2);

  refused("evaluate " + lab.model + " " + lab.model, 3);
  refused(predict + lab.model + " -o " + here + "x", 3);
  refused("train dark-slices " + lab.model + " -o " + here + "x.safetensors", 3);

  refused(predict + lab.cohort + " -o " + here + "x --device cuda:99", 4);
  CHECK(refused("bench " + lab.model + " --device cpu --precision bf16", 4).err ==
        "ratnet: cpu multiplies in f32, not in bf16, which is for GPUs\n");

  refused("inspect " + here + "missing.h5", 5);
  refused("inspect " + here + "missing.nii", 5);
  refused("inspect " + here + "missing.safetensors", 5);
  refused(predict + here + "missing.nii -o " + here + "x", 5);
  refused(predict + lab.cohort + " -o " + lab.cohort + "/x", 5);
  refused("simulate dark-slices -o " + here + "no/such/folder.h5", 5);
  refused("train dark-slices " + lab.cohort + " -o " + here + "no/such/model.safetensors", 5);
  refused("evaluate " + lab.model + " " + lab.cohort + " --json " + here + "no/such.json", 5);
  refused("bench " + lab.model + " --json " + here, 5);

  std::filesystem::remove(here + "x");
  CHECK(files_below(lab.folder.path()) == before);
}

TEST_CASE("the same seed trains the same bytes, on any number of threads") {
  const Lab lab;
  const auto train = [&](const std::string& name, const std::string& options) {
    const std::string path = lab.folder / (name + ".safetensors");
    well("train dark-slices " + lab.cohort + " --epochs 1 --batch 16 " + options + " -o " + path);
    return contents(path);
  };
  const std::string first = contents(lab.model);
  CHECK(train("again", "") == first);
  CHECK(train("one", "--threads 1") == first);
  CHECK(train("three", "--threads 3") == first);
  CHECK(train("other", "--seed 1") != first);
  const std::string tools =
      train("tools",
            "--schedule plateau --plateau-patience 1 --plateau-cooldown 1 --ema 0.9 --ema-warm-up "
            "--accumulate 2 --group */bias=0 --group dense/*=0.1:0.5");
  CHECK(tools != first);
  CHECK(tools.find(R"(\"ema\":\"0.9\")") != std::string::npos);
  // Only the model and its log stay.
  CHECK(files_below(lab.folder.path()).size() == 1 + 2 * 6);
}

TEST_CASE("training looks for leaks between its splits") {
  const Folder folder;
  const std::string cohort = folder / "cohort.h5", changed = folder / "changed.h5";
  const std::string model = folder / "model.safetensors";
  well(kSimulate + "--seed 1 -o " + cohort);
  const std::string train = "train dark-slices " + changed + " --epochs 1 --batch 16 -o " + model;

  SECTION("without subjects") {
    rewrite(cohort, changed, [](Tensor&, SampleTable& table) {
      table.subjects.clear();
      table.runs.clear();
    });
    const Finished no = refused(train, 3);
    CHECK(no.err.find("--allow-leakage") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(model));
    const Finished yes = well(train + " --allow-leakage");
    CHECK(yes.err.find("warning") != std::string::npos);
    CHECK(well("inspect " + model).out.find("WARNING: trained without knowing") !=
          std::string::npos);
    CHECK(json::parse(well("inspect --json " + model).out).at("warnings").size() == 1);
    CHECK(well("evaluate " + model + " " + cohort).out.find("trained without knowing") !=
          std::string::npos);
    CHECK(well("predict " + model + " " + cohort + " -o " + (folder / "out"))
              .out.find("trained without knowing") != std::string::npos);
  }
  SECTION("a slice that stands in two splits") {
    rewrite(cohort, changed, [](Tensor& images, SampleTable& table) {
      const auto at = [&](Split split) {
        return static_cast<std::size_t>(std::find(table.splits.begin(), table.splits.end(), split) -
                                        table.splits.begin());
      };
      auto pixels = images.values<std::uint8_t>();
      const std::size_t size = 64 * 64;
      std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(at(Split::train) * size), size,
                  pixels.begin() + static_cast<std::ptrdiff_t>(at(Split::test) * size));
    });
    const Finished no = run_line(train);
    INFO(no.err);
    CHECK(no.code == 3);
    CHECK(no.err.find("split") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(model));
  }
  SECTION("without splits") {
    rewrite(cohort, changed, [](Tensor&, SampleTable& table) { table.splits.clear(); });
    const Finished done = well(train);
    CHECK(done.err.find("70% of the subjects train, 15% validate, 15% test") != std::string::npos);
    const json seen = json::parse(well("inspect --json " + model).out);
    CHECK(seen.at("provenance").at("split") == "70/15/15 by subject, made here");
    CHECK(well("evaluate " + model + " " + changed).out.find("all of it is judged") !=
          std::string::npos);
    refused("evaluate " + model + " " + changed + " --split test", 3);
  }
}
