// ratnet train --graph, as a researcher without C++ uses it.
#include <fstream>
#include <nlohmann/json.hpp>

#include "../../core/random.h"
#include "../train/hdf5_file.h"
#include "lab.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

const char* const kNodes =
    R"({"kind": "input", "name": "image", "shape": [12, 12, 1]},
       {"kind": "conv", "name": "conv", "inputs": ["image"], "out": 6, "kernel": [3, 3]},
       {"kind": "relu", "name": "relu", "inputs": ["conv"]})";

const std::string kSegment = std::string(R"({"format": 1, "nodes": [)") + kNodes + R"(,
       {"kind": "conv", "name": "logits", "inputs": ["relu"], "out": 2, "kernel": [1, 1]},
       {"kind": "softmax", "name": "probability", "inputs": ["logits"]}],
    "outputs": ["logits", "probability"],
    "losses": [{"kind": "cross_entropy", "output": "logits", "target": "masks"},
               {"kind": "dice", "output": "probability", "target": "masks", "weight": 0.5}]})";
const std::string kClassify = std::string(R"({"format": 1, "nodes": [)") + kNodes + R"(,
       {"kind": "global_pool", "name": "mean", "inputs": ["relu"]},
       {"kind": "dense", "name": "logits", "inputs": ["mean"], "out": 2},
       {"kind": "softmax", "name": "probability", "inputs": ["logits"]}],
    "outputs": ["probability"]})";
const std::string kAutoencode = std::string(R"({"format": 1, "nodes": [)") + kNodes + R"(,
       {"kind": "conv", "name": "again", "inputs": ["relu"], "out": 1, "kernel": [3, 3]}],
    "outputs": ["again"]})";

// 80 images of 20 subjects; every other one has a bright square, which its mask shows.
struct Files {
  Folder folder;
  std::string all = folder / "all.h5", bare = folder / "bare.h5";

  Files() {
    Random random(3);
    constexpr std::size_t n = 80, side = 12;
    std::vector<std::uint8_t> images(n * side * side), masks(images.size()), labels(n);
    std::vector<std::int32_t> subjects(n);
    for (std::size_t i = 0; i < n; ++i) {
      subjects[i] = static_cast<std::int32_t>(i / 4);
      labels[i] = i % 2;
      const auto row = static_cast<std::size_t>(random.integer(8));
      for (std::size_t p = 0; p < side * side; ++p) {
        const std::size_t r = p / side, c = p % side;
        const bool inside = labels[i] && r >= row && r < row + 4 && c >= 4 && c < 8;
        masks[i * side * side + p] = inside;
        images[i * side * side + p] =
            static_cast<std::uint8_t>(random.integer(80) + (inside ? 150 : 0));
      }
    }
    for (const std::string& path : {all, bare}) {
      Hdf5File file(path);
      file.dataset("images", {n, side, side}, images);
      file.dataset("subject", {n}, subjects);
      if (path == bare) continue;
      file.dataset("labels", {n}, labels);
      file.dataset("masks", {n, side, side}, masks);
    }
  }

  std::string graph(const std::string& name, const std::string& source) const {
    std::ofstream(folder / name) << source;
    return folder / name;
  }
};

}  // namespace

TEST_CASE("train --graph learns masks, labels or the images themselves") {
  const Files files;
  const std::string model = files.folder / "model.safetensors";
  const std::string figures = files.folder / "figures.json";
  const auto train = [&](const std::string& graph, const std::string& data,
                         const std::string& more) {
    well("train --graph " + graph + " " + data + " -o " + model + " --json " + figures +
         " --batch 8 " + more);
    return json::parse(contents(figures));
  };
  const std::string segment = files.graph("segment.json", kSegment);
  const json masks =
      train(segment, files.all,
            "--epochs 40 --learning-rate 0.02 --monitor dice --patience 40 --recompute");
  CHECK(masks.at("dice").get<double>() > 0.8);
  CHECK(masks.at("dice_by_class").size() == 2);
  CHECK_FALSE(masks.contains("auroc"));
  CHECK(well("inspect " + model).out.find("test_dice") != std::string::npos);
  CHECK(well("inspect " + segment).out.find("logits") != std::string::npos);

  const json labels =
      train(files.graph("classify.json", kClassify), files.all, "--epochs 30 --learning-rate 0.02");
  CHECK(labels.at("auroc").get<double>() > 0.9);
  CHECK_FALSE(labels.contains("dice"));

  const std::string autoencode = files.graph("autoencode.json", kAutoencode);
  const json start = train(autoencode, files.bare, "--epochs 1 --learning-rate 1e-9");
  const json end = train(autoencode, files.bare, "--epochs 20 --learning-rate 0.02");
  CHECK(end.at("loss").get<double>() < 0.5 * start.at("loss").get<double>());
}

TEST_CASE("train --graph learns images within their masks") {
  const Files files;
  std::string source = kAutoencode;
  source.replace(source.rfind('}'), 1, R"(, "losses": [{"kind": "l1", "mask": true}]})");
  const std::string within = files.graph("within.json", source);
  const std::string figures = files.folder / "figures.json";
  const std::string ending = " -o " + (files.folder / "model.safetensors") + " --json " + figures;
  const auto loss_after = [&](const std::string& epochs, const std::string& rate) {
    well("train --graph " + within + " " + files.all + ending + " --batch 8 --epochs " + epochs +
         " --learning-rate " + rate);
    const json judged = json::parse(contents(figures));
    CHECK_FALSE(judged.contains("dice"));  // it compares with no mask
    return judged.at("loss").get<double>();
  };
  CHECK(loss_after("20", "0.02") < 0.5 * loss_after("1", "1e-9"));
  const Finished bare = run_line("train --graph " + within + " " + files.bare + ending);
  CHECK(bare.code == 3);
  CHECK(bare.err.find("has no masks, by which a loss takes its pixels") != std::string::npos);
}

TEST_CASE("train --graph takes volumes with masks") {
  const Folder folder;
  constexpr hsize_t n = 12, d = 4, h = 8, w = 6;
  std::vector<float> images(n * d * h * w);
  std::vector<std::uint8_t> masks(images.size());
  Random random(8);
  for (std::size_t i = 0; i < images.size(); ++i) {
    masks[i] = random.chance(0.25);
    images[i] = static_cast<float>(random.normal(masks[i] ? 2 : 0, 0.2));
  }
  std::vector<std::int32_t> subjects(n);
  for (std::size_t i = 0; i < n; ++i) subjects[i] = static_cast<std::int32_t>(i);
  {
    Hdf5File file(folder / "volumes.h5");
    file.dataset("images", {n, d, h, w, 1}, images);
    file.dataset("masks", {n, d, h, w}, masks);
    file.dataset("subject", {n}, subjects);
    file.dataset("labels", {n}, std::vector<std::uint8_t>(n, 0));
  }
  std::ofstream(folder / "graph.json") << R"({"format": 1, "nodes": [
       {"kind": "input", "name": "volume", "shape": [4, 8, 6, 1]},
       {"kind": "conv", "name": "logits", "inputs": ["volume"], "out": 2, "kernel": [1, 1, 1]}],
    "outputs": ["logits"]})";
  well("train --graph " + (folder / "graph.json") + " " + (folder / "volumes.h5") + " -o " +
       (folder / "model.safetensors") + " --json " + (folder / "figures.json") +
       " --batch 2 --epochs 60 --learning-rate 0.1");
  CHECK(json::parse(contents(folder / "figures.json")).at("dice").get<double>() > 0.9);
  CHECK(well("inspect " + (folder / "volumes.h5")).out.find("[4, 8, 6, 1]") != std::string::npos);
  CHECK(refused(
            "train dark-slices " + (folder / "volumes.h5") + " -o " + (folder / "m.safetensors"), 3)
            .err.find("has volumes of [4, 8, 6, 1]") != std::string::npos);
}

TEST_CASE("the same seed trains the same graph, byte for byte") {
  const Files files;
  const std::string segment = files.graph("segment.json", kSegment);
  for (const char* name : {"a", "b"})
    well("train --graph " + segment + " " + files.all + " -o " + (files.folder / name) +
         ".safetensors --epochs 2 --ema 0.9 --accumulate 2 --threads " +
         (*name == 'a' ? "1" : "2"));
  CHECK(contents(files.folder / "a.safetensors") == contents(files.folder / "b.safetensors"));
}

TEST_CASE("train --graph changes images and masks as the graph's file asks") {
  const Files files;
  const auto train = [&](const char* name, const std::string& augmentation) {
    std::string source = kSegment;
    source.insert(1, augmentation);
    const std::string model = files.folder / name;
    well("train --graph " + files.graph("changed.json", source) + " " + files.all + " -o " + model +
         " --epochs 2 --seed 4");
    return contents(model);
  };
  const std::string some = R"("augmentation": {"mirror": [false, true, true], "gamma": 1.5}, )";
  const std::string changed = train("changed.safetensors", some);
  CHECK(changed == train("again.safetensors", some));
  const std::string plain = train("plain.safetensors", "");
  CHECK(changed.find("augmentation") != std::string::npos);
  CHECK(plain.find("augmentation") == std::string::npos);
  // The weights too, which are last in a file.
  CHECK(changed.substr(changed.size() - 64) != plain.substr(plain.size() - 64));
  CHECK(refused("train --graph " +
                    files.graph("wrong.json",
                                "{\"augmentation\": {\"gama\": 2}, " + kSegment.substr(1)) +
                    " " + files.all + " -o " + (files.folder / "wrong.safetensors"),
                3)
            .err.find("no member 'gama'") != std::string::npos);
}

TEST_CASE("train --graph says in a line what it cannot train") {
  const Files files;
  const std::string out = " -o " + (files.folder / "model.safetensors");
  const std::string segment = files.graph("segment.json", kSegment);
  refused("train", 2);
  refused("train --graph " + segment + " " + files.all, 2);
  refused("train --graph " + segment + " " + files.all + " -o model.bin", 2);
  refused("train --graph nowhere.json " + files.all + out, 5);
  refused("train --graph " + files.graph("text.json", "hello") + " " + files.all + out, 3);
  refused("train --graph " +
              files.graph("loss.json", kSegment.substr(0, kSegment.find("\"losses\"")) +
                                           R"("losses": [{"kind": "hope"}]})") +
              " " + files.all + out,
          3);
  refused("train --graph " + segment + " " + files.all + out + " --scale -1", 2);
  refused("train --graph " + segment + " " + files.all + out + " --monitor dice", 2);
  refused("train --epochs 3 dark-slices " + files.all + out, 2);
  std::string unread = kSegment;
  unread.replace(unread.find("{\"kind\": \"dice\""), std::string::npos, "]}");
  unread.replace(unread.rfind("},"), 2, "}");
  unread.replace(unread.find("{\"kind\": \"softmax\""), 0,
                 R"({"kind": "conv", "name": "spare", "inputs": ["relu"], "out": 2},)");
  CHECK(refused("train --graph " + files.graph("unread.json", unread) + " " + files.all + out, 2)
            .err.find("no loss reads the weight 'spare/weight'") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(files.folder / "model.safetensors"));
}
