// evaluate, of masks: its figures against plain loops over what predict wrote.
#include <algorithm>
#include <cmath>

#include "graph_evaluations.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

// Pixels of a class with a neighbour outside it, or the border of the image.
std::vector<std::size_t> border(const std::uint8_t* mask, int k) {
  std::vector<std::size_t> at;
  for (std::size_t p = 0; p < kPixels; ++p) {
    const std::size_t r = p / kSide, c = p % kSide;
    if (mask[p] == k &&
        (r == 0 || c == 0 || r + 1 == kSide || c + 1 == kSide || mask[p - kSide] != k ||
         mask[p + kSide] != k || mask[p - 1] != k || mask[p + 1] != k))
      at.push_back(p);
  }
  return at;
}

double percentile95(const std::vector<std::size_t>& from, const std::vector<std::size_t>& to) {
  std::vector<double> nearest;
  for (const std::size_t a : from) {
    double least = 1e9;
    for (const std::size_t b : to)
      least = std::min(least, std::hypot(double(a / kSide) - double(b / kSide),
                                         double(a % kSide) - double(b % kSide)));
    nearest.push_back(least);
  }
  std::sort(nearest.begin(), nearest.end());
  const double place = 0.95 * double(nearest.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, nearest.size() - 1);
  return nearest[below] + (nearest[above] - nearest[below]) * (place - double(below));
}

}  // namespace

TEST_CASE("evaluate measures the masks of a graph as plain loops over predict's masks do") {
  const GraphFiles files;
  const std::string model = files.train("masks", kSegmentHead, files.split, "--epochs 30");
  const json e = evaluated(files, model + " " + files.split);
  check_same_figures(e, model);

  const std::string out = files.path("out");
  well("predict " + model + " " + files.split + " -o " + out + " --probabilities");
  const std::string arrays = predicted(out, "split", "outputs.h5");
  const auto masks = read_array<std::uint8_t>(arrays, "masks", {files.n, kSide, kSide});
  const auto p = read_array<float>(arrays, "probabilities", {files.n, kSide, kSide, 3});
  const TsvTable table(predicted(out, "split", "samples.tsv"));
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const float* const row = &p[3 * i];
    REQUIRE(std::abs(row[0] + row[1] + row[2] - 1) < 1e-5f);
    REQUIRE(row[masks[i]] == *std::max_element(row, row + 3));
  }
  CHECK(number(table, 4, "pixels_1") ==
        std::count(&masks[4 * kPixels], &masks[5 * kPixels], std::uint8_t{1}));

  const auto rows = files.test_rows();
  for (int k : {1, 2}) {
    double truth = 0, called = 0, both = 0, dice = 0, present = 0, hausdorff = 0, measured = 0;
    double there = 0;
    for (const std::size_t row : rows) {
      const std::uint8_t *t = &files.masks[row * kPixels], *m = &masks[row * kPixels];
      double of_t = 0, of_m = 0, of_both = 0;
      for (std::size_t i = 0; i < kPixels; ++i) {
        of_t += t[i] == k;
        of_m += m[i] == k;
        of_both += t[i] == k && m[i] == k;
      }
      truth += of_t;
      called += of_m;
      both += of_both;
      there += of_t > 0;
      if (of_t + of_m > 0) {
        dice += 2 * of_both / (of_t + of_m);
        ++present;
      }
      if (of_t == 0 || of_m == 0) continue;
      const auto a = border(t, k), b = border(m, k);
      hausdorff += std::max(percentile95(a, b), percentile95(b, a));
      ++measured;
    }
    INFO("class " << k);
    const json& c = e.at("masks").at(static_cast<std::size_t>(k - 1));
    REQUIRE(both > 0);
    CHECK(c.at("class") == k);
    CHECK(c.at("dice").get<double>() == Approx(2 * both / (truth + called)));
    CHECK(c.at("iou").get<double>() == Approx(both / (truth + called - both)));
    CHECK(c.at("mean_dice").get<double>() == Approx(dice / present));
    CHECK(c.at("samples_measured") == measured);
    CHECK(c.at("hausdorff95").get<double>() == Approx(hausdorff / measured));
    // One square an image.
    const json& lesions = c.at("lesions");
    CHECK(lesions.at("true_positives").get<int>() + lesions.at("false_negatives").get<int>() ==
          there);
    CHECK(c.at("froc").at("sensitivity_at_false_positives_per_sample").at("8.0") >=
          lesions.at("sensitivity"));
  }
  const json mm = evaluated(files, "--spacing 2,2 " + model + " " + files.split);
  CHECK(mm.at("masks")[0].at("distances_in") == "mm");
  CHECK(mm.at("masks")[0].at("hausdorff95").get<double>() ==
        Approx(2 * e.at("masks")[0].at("hausdorff95").get<double>()));
}

TEST_CASE("masks of volumes are predicted and judged as volumes") {
  const Folder folder;
  constexpr hsize_t n = 12, d = 4, h = 8, w = 6;
  std::vector<float> images(n * d * h * w);
  std::vector<std::uint8_t> masks(images.size());
  std::vector<std::int32_t> subjects(n);
  Random random(8);
  for (std::size_t i = 0; i < images.size(); ++i) {
    masks[i] = random.chance(0.05);
    images[i] = static_cast<float>(random.normal(masks[i] ? 4 : 0, 0.2));
  }
  masks[0] = 255;
  for (std::size_t i = 0; i < n; ++i) subjects[i] = static_cast<std::int32_t>(i);
  const std::string data = folder / "volumes.h5", model = folder / "model.safetensors";
  {
    Hdf5File file(data);
    file.dataset("images", {n, d, h, w, 1}, images);
    file.dataset("masks", {n, d, h, w}, masks);
    file.dataset("subject", {n}, subjects);
  }
  std::ofstream(folder / "graph.json") << R"({"format": 1, "nodes": [
       {"kind": "input", "name": "volume", "shape": [4, 8, 6, 1]},
       {"kind": "conv", "name": "logit", "inputs": ["volume"], "out": 1, "kernel": [1, 1, 1]}],
    "outputs": ["logit"]})";
  well("train --graph " + (folder / "graph.json") + " " + data + " -o " + model +
       " --batch 2 --epochs 60 --learning-rate 0.2");
  const json e = json::parse(
      well("evaluate " + model + " " + data + " --split all --spacing 3,1,1 --json -").out);
  CHECK(e.at("masks")[0].at("dice").get<double>() == 1);
  CHECK(e.at("masks")[0].at("hausdorff95") == 0.0);
  CHECK(e.at("masks")[0].at("samples_measured") == n);
  CHECK(says(e.at("warnings"), "learnt from"));
  CHECK(refused("evaluate " + model + " " + data + " --spacing 1,1", 2).err.find("spacing") !=
        std::string::npos);
  well("predict " + model + " " + data + " -o " + (folder / "out"));
  auto found = read_array<std::uint8_t>(predicted(folder / "out", "volumes", "outputs.h5"), "masks",
                                        {n, d, h, w});
  found[0] = 255;
  CHECK(found == masks);
}
