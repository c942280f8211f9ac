// train --graph on patches, and evaluate and predict of such models over images of any size.
#include <cmath>
#include <nlohmann/json.hpp>

#include "../train/hdf5_file.h"
#include "graph_files.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

// 20 images, or volumes, of 10 subjects with a bright box, which their masks show.
struct PatchFiles {
  static constexpr hsize_t n = 20;
  Folder folder;
  std::vector<hsize_t> sizes;  // of an image
  std::size_t pixels = 1;
  std::string data = folder / "images.h5";
  std::vector<std::uint8_t> images, masks, splits;

  explicit PatchFiles(std::vector<hsize_t> of, bool with_masks = true) : sizes(std::move(of)) {
    for (const hsize_t size : sizes) pixels *= size;
    const std::size_t rows = sizes[sizes.size() - 2], columns = sizes.back();
    const std::size_t slices = pixels / rows / columns;
    Random random(7);
    std::vector<std::int32_t> subjects;
    std::vector<std::uint8_t> labels;
    for (hsize_t i = 0; i < n; ++i) {
      subjects.push_back(static_cast<std::int32_t>(i / 2));
      splits.push_back(i < 12 ? 0 : i < 16 ? 1 : 2);
      labels.push_back(i % 2);
      const auto any = [&](std::size_t size) {
        return size > 5
                   ? static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(size) - 5))
                   : 0;
      };
      const std::size_t d = any(slices), r = any(rows), c = any(columns);
      for (std::size_t p = 0; p < pixels; ++p) {
        const auto in = [&](std::size_t at, std::size_t first) {
          return at >= first && at < first + 5;
        };
        masks.push_back(in(p / columns / rows, d) && in(p / columns % rows, r) &&
                        in(p % columns, c));
        images.push_back(static_cast<std::uint8_t>(random.integer(100) + 90 * masks.back()));
      }
    }
    Hdf5File file(data);
    std::vector<hsize_t> shape = sizes;
    shape.insert(shape.begin(), n);
    if (with_masks) file.dataset("masks", shape, masks);
    if (sizes.size() == 3) shape.push_back(1);
    file.dataset("images", shape, images);
    file.dataset("labels", {n}, labels);
    file.dataset("subject", {n}, subjects);
    file.dataset("split", {n}, splits);
  }

  std::string path(const std::string& name) const { return folder / name; }
  std::string model() const { return path("model.safetensors"); }

  // input: sizes of a patch with its channel; head: nodes behind `relu` and what follows them.
  std::string graph(const std::string& input, const std::string& head,
                    const std::string& patches) const {
    const std::string kernel =
        std::count(input.begin(), input.end(), ',') == 3 ? "[3,3,3]" : "[3,3]";
    std::ofstream(path("graph.json"))
        << R"({"format": 1, "patches": )" << patches
        << R"(, "nodes": [{"kind": "input", "name": "image", "shape": )" << input
        << R"(}, {"kind": "conv", "name": "conv", "inputs": ["image"], "out": 6, "kernel": )"
        << kernel << R"(}, {"kind": "relu", "name": "relu", "inputs": ["conv"]},)" << head << "}";
    return path("graph.json");
  }
  std::string line(const std::string& graph, const std::string& more) const {
    return "train --graph " + graph + " " + data + " -o " + model() + " --json " +
           path("trained.json") + " --learning-rate 0.05 " +
           (more.find("--batch") == std::string::npos ? "--batch 8 " : "") + more;
  }
  json evaluated(const std::string& more = "") const {
    well("evaluate " + model() + " " + data + " --json " + path("figures.json") + " " + more);
    return json::parse(contents(path("figures.json")));
  }
  // Every figure that `train --json` wrote stands the same at the top.
  json check_same_figures() const {
    json e = evaluated();
    const json figures = json::parse(contents(path("trained.json")));
    CHECK(figures.size() >= 2);
    for (const auto& [name, value] : figures.items()) {
      INFO(name);
      CHECK(e.at(name) == value);
    }
    return e;
  }
};

std::string segment_head(bool volume) {
  return std::string(
             R"({"kind": "conv", "name": "logits", "inputs": ["relu"], "out": 2, "kernel": )") +
         (volume ? "[1,1,1]" : "[1,1]") + R"(},
      {"kind": "softmax", "name": "probability", "inputs": ["logits"]}],
      "outputs": ["logits", "probability"],
      "losses": [{"kind": "cross_entropy", "output": "logits", "target": "masks"},
                 {"kind": "dice", "output": "probability", "weight": 0.5}])";
}

const std::string kPatches = R"({"per_image": 8, "labelled": 0.5})";

// Dice of class 1 over the test samples, by the masks that predict wrote.
double dice_of(const PatchFiles& files, const std::vector<std::uint8_t>& found) {
  double both = 0, all = 0;
  for (std::size_t p = 0; p < found.size(); ++p) {
    if (files.splits[p / files.pixels] != 2) continue;
    both += found[p] == 1 && files.masks[p] == 1;
    all += (found[p] == 1) + (files.masks[p] == 1);
  }
  return 2 * both / all;
}

}  // namespace

TEST_CASE("a graph of patches learns masks, and is judged and used on whole images") {
  struct Case {
    std::vector<hsize_t> sizes;
    std::string patch;
    bool volume;
  };
  // Images, volumes, volumes by their slices, and images smaller than a patch along one axis.
  for (const Case& c :
       {Case{{37, 50}, "[16, 16, 1]", false}, Case{{9, 20, 26}, "[8, 12, 12, 1]", true},
        Case{{6, 20, 26}, "[16, 16, 1]", false}, Case{{12, 40}, "[16, 16, 1]", false}}) {
    INFO(c.patch << " of " << c.sizes.size() << " axes");
    const PatchFiles files(c.sizes);
    const std::string graph = files.graph(c.patch, segment_head(c.volume), kPatches);
    well(files.line(graph, "--epochs 30"));
    const json e = files.check_same_figures();
    CHECK(e.at("dice") > 0.85);
    CHECK(e.at("samples") == 4);

    const std::string out = files.path("out");
    well("predict " + files.model() + " " + files.data + " -o " + out + " --probabilities");
    std::vector<hsize_t> shape = c.sizes;
    shape.insert(shape.begin(), PatchFiles::n);
    const std::string arrays = predicted(out, "images", "outputs.h5");
    const auto masks = read_array<std::uint8_t>(arrays, "masks", shape);
    CHECK(dice_of(files, masks) == Approx(e.at("dice").get<double>()));
    shape.push_back(2);
    const auto p = read_array<float>(arrays, "probabilities", shape);
    for (std::size_t i = 0; i < masks.size(); ++i) {
      REQUIRE(std::abs(p[2 * i] + p[2 * i + 1] - 1) < 1e-5f);
      REQUIRE(masks[i] == (p[2 * i + 1] > p[2 * i]));
    }
  }
}

TEST_CASE("an autoencoder of patches makes whole images, with any overlap and mirrored") {
  const PatchFiles files({37, 50}, false);
  const std::string head = R"({"kind": "conv", "name": "again", "inputs": ["relu"], "out": 1,
      "kernel": [3, 3]}], "outputs": ["again"], "losses": [{"kind": "mse", "output": "again"}])";
  well(files.line(files.graph("[16, 16, 1]", head, R"({"per_image": 4})"), "--epochs 3"));
  const json e = files.check_same_figures();
  CHECK(e.at("images")[0].at("mse").get<double>() ==
        Approx(e.at("loss").get<double>()).epsilon(1e-5));
  const json more = files.evaluated("--overlap 0.75 --flips H,W");
  CHECK(more.at("loss") != e.at("loss"));
  CHECK(more.at("loss").get<double>() == Approx(e.at("loss").get<double>()).epsilon(0.5));

  const auto again = [&](const std::string& folder, const std::string& options) {
    well("predict " + options + " " + files.model() + " " + files.data + " -o " +
         files.path(folder));
    return read_array<float>(predicted(files.path(folder), "images", "outputs.h5"), "again",
                             {PatchFiles::n, 37, 50, 1});
  };
  const auto plain = again("plain", "");
  double mse = 0;
  for (std::size_t p = 16 * files.pixels; p < plain.size(); ++p)
    mse += std::pow(double(plain[p]) - files.images[p] / 255.0, 2) / double(4 * files.pixels);
  CHECK(mse == Approx(e.at("loss").get<double>()).epsilon(1e-4));
  CHECK(again("half", "--overlap 0.5") == plain);
  CHECK(again("flips", "--flips W") != plain);

  const auto usage = [&](const std::string& options) {
    return refused("evaluate " + files.model() + " " + files.data + " " + options, 2).err;
  };
  CHECK(usage("--overlap 0.95").find("0 to 0.9") != std::string::npos);
  CHECK(usage("--overlap nan").find("0 to 0.9") != std::string::npos);
  CHECK(usage("--flips D").find("patches of H and W") != std::string::npos);
  CHECK(usage("--flips Q").find("expected D, H or W") != std::string::npos);
}

TEST_CASE("the same patches train the same model whatever the threads, to the byte") {
  const PatchFiles files({20, 25});
  const std::string graph = files.graph("[16, 16, 1]", segment_head(false), kPatches);
  std::string first;
  for (const char* threads : {"1", "2", "3"}) {
    well(files.line(graph, std::string("--epochs 2 --threads ") + threads));
    if (first.empty()) first = contents(files.model());
    CHECK(contents(files.model()) == first);
  }
  well(files.line(graph, "--epochs 2 --seed 2"));
  CHECK(contents(files.model()) != first);
}

TEST_CASE("what has no patches is refused in one line, before a training") {
  const PatchFiles files({20, 25});
  const auto why = [&](const std::string& input, const std::string& head,
                       const std::string& patches, int code = 3) {
    return refused_last(files.line(files.graph(input, head, patches), "--epochs 1"), code);
  };
  const std::string segment = segment_head(false);
  CHECK(why("[16, 16, 1]", segment, R"({"per_image": 0})").find("1 to 4096") != std::string::npos);
  CHECK(why("[16, 16, 1]", segment, R"({"stride": 2})").find("no member 'stride'") !=
        std::string::npos);
  CHECK(why("[16, 16, 2]", segment, "{}").find("there are no patches") != std::string::npos);
  CHECK(why("[8, 16, 16, 1]", segment_head(true), "{}").find("there are no patches") !=
        std::string::npos);
  CHECK(why("[16, 16, 1]", kClassifyHead, "{}").find("labels") != std::string::npos);
  const std::string reconstruct = R"({"kind": "conv", "name": "again", "inputs": ["relu"], "out": 1,
      "kernel": [3, 3]}], "outputs": ["again"], "losses": [{"kind": "mse", "output": "again"}])";
  CHECK(why("[16, 16, 1]", reconstruct, R"({"labelled": 0.5})").find("no masks are read") !=
        std::string::npos);

  // Without patches, they are named as the way out; and options that are for patches alone.
  std::string whole = contents(files.graph("[16, 16, 1]", segment, "{}"));
  whole.replace(whole.find("\"patches\": {},"), 14, "");
  std::ofstream(files.path("whole.json")) << whole;
  CHECK(refused_last(files.line(files.path("whole.json"), "--epochs 1"), 3).find("\"patches\"") !=
        std::string::npos);
  const PatchFiles fits({16, 16});
  well(fits.line(files.path("whole.json"), "--epochs 1"));
  for (const std::string option : {"--overlap 0.5", "--flips W"}) {
    const std::string line = fits.model() + " " + fits.data + " " + option;
    CHECK(refused("evaluate " + line, 2).err.find("was not trained on patches") !=
          std::string::npos);
    CHECK(refused("predict " + line + " -o " + fits.path("out"), 2)
              .err.find("was not trained on patches") != std::string::npos);
  }
  CHECK(refused_last("evaluate " + fits.model() + " " + files.data, 3).find("\"patches\"") !=
        std::string::npos);
}

TEST_CASE("a training on patches takes the memory that it tells, of its volumes too") {
  if (has_sanitizer_memory()) {
    WARN("skipped: a sanitizer has memory of its own");
    return;
  }
  const auto train = [](const PatchFiles& files) {
    const std::string graph =
        files.graph("[8, 16, 16, 1]", segment_head(true), R"({"per_image": 32})");
    return well(files.line(graph, "--epochs 1 --batch 32 --threads 2"));
  };
  const auto told = [](const Finished& finished) {
    const std::string before = "memory of the steps: ";
    return std::stod(finished.err.substr(finished.err.find(before) + before.size()));
  };
  // Far enough apart that what the allocator keeps for itself, 2 or 3 MiB, does not decide.
  const Finished a = train(PatchFiles({24, 64, 64})), b = train(PatchFiles({48, 160, 160}));
  const double grown = static_cast<double>(b.peak_kilobytes - a.peak_kilobytes) / 1024;
  const double more = told(b) - told(a);
  INFO(grown << " MiB more, told " << more << "\n" << b.err);
  REQUIRE(more > 80);
  CHECK(grown < 1.05 * more);
  CHECK(grown > 0.95 * more);
}
