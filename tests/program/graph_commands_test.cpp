// evaluate and predict, of models that `train --graph` made: their figures against plain loops over
// what predict wrote.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "../../apps/graph/commands/print_evaluation.h"
#include "graph_files.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

namespace {

json evaluated(const GraphFiles& files, const std::string& line) {
  const std::string figures = files.path("figures.json");
  well("evaluate " + line + " --json " + figures);
  return json::parse(contents(figures));
}

double number(const TsvTable& table, std::size_t row, const std::string& column) {
  return std::stod(table.text(row, column));
}

// Every figure that `train --json` wrote stands the same at the top.
void check_same_figures(const json& evaluation, const std::string& trained) {
  const json figures = json::parse(contents(trained + ".json"));
  CHECK(figures.size() >= 2);
  for (const auto& [name, value] : figures.items()) {
    INFO(name);
    CHECK(evaluation.at(name) == value);
  }
}

// The share of pairs of one of the class and one of another in which the first has more, ties half.
double auroc(const std::vector<double>& p, const std::vector<bool>& is) {
  double above = 0, pairs = 0;
  for (std::size_t a = 0; a < p.size(); ++a)
    for (std::size_t b = 0; b < p.size(); ++b) {
      if (!is[a] || is[b]) continue;
      ++pairs;
      above += p[a] > p[b] ? 1 : p[a] == p[b] ? 0.5 : 0;
    }
  return above / pairs;
}

bool says(const json& sentences, const std::string& part) {
  for (const json& sentence : sentences)
    if (sentence.get<std::string>().find(part) != std::string::npos) return true;
  return false;
}

constexpr std::size_t kPixels = GraphFiles::pixels, kSide = GraphFiles::side;

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

TEST_CASE("evaluate counts of a graph's classes what predict's table says") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.split);
  const json e = evaluated(
      files, model + " " + files.split + " --reliability " + files.path("reliability.png"));
  check_same_figures(e, model);
  CHECK(contents(files.path("reliability.png")).substr(1, 3) == "PNG");
  CHECK(e.at("warnings").empty());

  const std::string out = files.path("out");
  well("predict " + model + " " + files.split + " -o " + out);
  CHECK(files_below(out).size() == 2);  // no arrays: there are no images to write
  const TsvTable table(predicted(out, "split", "samples.tsv"));
  REQUIRE(table.rows() == files.n);
  CHECK(table.text(7, "subject") == "1");
  const json sidecar = json::parse(contents(predicted(out, "split", "samples.json")));
  CHECK(sidecar.at("Model") == "classes.safetensors");

  const std::vector<std::string> names = {"none", "grey", "bright"};
  std::vector<std::vector<double>> p(3);
  std::vector<std::vector<int>> confusion(3, std::vector<int>(3));
  std::vector<std::vector<bool>> is(3);
  std::map<int, std::array<double, 3>> bins;  // samples, confidence, right
  double log_loss = 0, brier = 0, right = 0;
  const auto rows = files.test_rows();
  for (const std::size_t row : rows) {
    double sum = 0, top = 0;
    std::size_t most = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      p[k].push_back(number(table, row, "probability_" + names[k]));
      is[k].push_back(files.labels[row] == k);
      sum += p[k].back();
      if (p[k].back() > top) {
        top = p[k].back();
        most = k;
      }
      brier += std::pow(p[k].back() - is[k].back(), 2);
    }
    CHECK(sum == Approx(1).epsilon(1e-9));
    CHECK(table.text(row, "predicted") == names[most]);
    ++confusion[files.labels[row]][most];
    log_loss -= std::log(p[files.labels[row]].back());
    const bool hit = most == files.labels[row];
    right += hit;
    auto& bin = bins[std::min(14, static_cast<int>(std::ceil(top * 15)) - 1)];
    bin[0] += 1;
    bin[1] += top;
    bin[2] += hit;
  }
  const json& c = e.at("classification");
  CHECK(c.at("confusion") == json(confusion));
  CHECK(right > 0.5 * double(rows.size()));
  CHECK(c.at("accuracy").get<double>() == Approx(right / double(rows.size())));
  CHECK(c.at("log_loss").get<double>() == Approx(log_loss / double(rows.size())).epsilon(1e-6));
  CHECK(c.at("brier_score").get<double>() == Approx(brier / double(rows.size())).epsilon(1e-6));
  double ece = 0, macro = 0, weighted = 0;
  for (const auto& [at, bin] : bins) ece += std::abs(bin[1] - bin[2]) / double(rows.size());
  CHECK(c.at("ece").get<double>() == Approx(ece).epsilon(1e-6));
  for (std::size_t k = 0; k < 3; ++k) {
    const json& of = c.at("by_class").at(k);
    int seen = 0, called = 0;
    for (std::size_t other = 0; other < 3; ++other) {
      seen += confusion[k][other];
      called += confusion[other][k];
    }
    const double f1 = 2.0 * confusion[k][k] / (seen + called);
    CHECK(of.at("name") == names[k]);
    CHECK(of.at("samples") == seen);
    CHECK(of.at("f1").get<double>() == Approx(f1));
    CHECK(of.at("auroc").get<double>() == Approx(auroc(p[k], is[k])));
    macro += f1 / 3;
    weighted += f1 * seen / double(rows.size());
  }
  CHECK(c.at("macro_f1").get<double>() == Approx(macro));
  CHECK(c.at("weighted_f1").get<double>() == Approx(weighted));
  const std::string printed = well("evaluate " + model + " " + files.split).out;
  CHECK(printed.find("confusion matrix") != std::string::npos);
  CHECK(printed.find("bright") != std::string::npos);
}

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

TEST_CASE("an autoencoder's images are written, and judged by what stands in the table") {
  const GraphFiles files;
  const std::string model = files.train("again", kAutoencodeHead, files.split, "--epochs 3");
  const json e = evaluated(files, model + " " + files.split);
  check_same_figures(e, model);
  const json& image = e.at("images").at(0);
  CHECK(image.at("output") == "dec/again");
  CHECK(image.at("mse").get<double>() == Approx(e.at("loss").get<double>()).epsilon(1e-5));

  const std::string out = files.path("out");
  well("predict " + model + " " + files.split + " -o " + out);
  const auto again = read_array<float>(predicted(out, "split", "outputs.h5"), "dec_again",
                                       {files.n, kSide, kSide, 1});
  const TsvTable table(predicted(out, "split", "samples.tsv"));
  double mse = 0, l1 = 0, ssim = 0;
  for (const std::size_t row : files.test_rows()) {
    double squares = 0;
    for (std::size_t i = row * kPixels; i < (row + 1) * kPixels; ++i)
      squares += std::pow(double(again[i]) - files.images[i] / 255.0, 2) / kPixels;
    CHECK(number(table, row, "mse_dec/again") == Approx(squares).epsilon(1e-4));
    mse += number(table, row, "mse_dec/again") / double(files.test_rows().size());
    l1 += number(table, row, "l1_dec/again") / double(files.test_rows().size());
    ssim += number(table, row, "ssim_dec/again") / double(files.test_rows().size());
  }
  CHECK(image.at("mse").get<double>() == Approx(mse));
  CHECK(image.at("l1").get<double>() == Approx(l1));
  CHECK(image.at("ssim").get<double>() == Approx(ssim));
  // What predict wrote is no input of its own.
  std::filesystem::copy(files.split, out + "/again.h5");
  CHECK(count_lines(well("predict " + model + " " + out + " -o " + files.path("two")).out) == 4);
}

TEST_CASE("a model whose training made the splits is judged on the same test samples") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.whole);
  const json e = evaluated(files, model + " " + files.whole);
  check_same_figures(e, model);
  CHECK(e.at("warnings").empty());
  CHECK(e.at("samples") < static_cast<int>(files.n));
  CHECK(says(e.at("notes"), "the one that the model's training made is taken"));
}

TEST_CASE("evaluate says where a model learnt from what it is judged on") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::size_t learnt = files.n - files.test_rows().size();
  const auto warnings = [&](const std::string& more) {
    return evaluated(files, model + " " + more).at("warnings");
  };
  CHECK(warnings(files.split + " --split test").empty());
  for (const std::string& more : {files.split + " --split all", files.whole + " --split all"})
    CHECK(says(warnings(more),
               "learnt from, or was validated on, " + std::to_string(learnt) + " of the images"));
  // Images of a subject that it knows by others.
  std::vector<std::uint8_t> some(files.images.begin(), files.images.begin() + 8 * kPixels);
  for (std::size_t i = 4 * kPixels; i < some.size(); ++i) some[i] ^= 1;
  {
    Hdf5File file(files.path("some.h5"));
    file.dataset("images", {8, kSide, kSide}, some);
    file.dataset("labels", {8}, std::vector<std::uint8_t>{0, 1, 2, 0, 1, 2, 0, 1});
    file.dataset("subject", {8}, std::vector<std::int32_t>{0, 0, 0, 0, 0, 0, 9, 9});
  }
  CHECK(says(warnings(files.path("some.h5")),
             "4 of the images judged and other images of the subjects of 2 more"));
}

TEST_CASE("two graphs are compared on the same samples") {
  const GraphFiles files;
  // Two classes: with and without a square, by one logit and by two.
  std::vector<std::uint8_t> labels = files.labels;
  for (std::uint8_t& label : labels) label = label > 0;
  labels[24] = 255;  // in the test split
  const std::string two = files.path("two.h5");
  {
    Hdf5File file(two);
    file.dataset("images", {files.n, kSide, kSide}, files.images);
    file.dataset("labels", {files.n}, labels);
    file.dataset("split", {files.n}, files.splits);
    std::vector<std::int32_t> subjects(files.n);
    for (std::size_t i = 0; i < files.n; ++i) subjects[i] = static_cast<std::int32_t>(i / 6);
    file.dataset("subject", {files.n}, subjects);
  }
  const std::string pool =
      R"({"kind": "global_pool", "name": "most", "inputs": ["relu"], "by": "max"},)";
  const std::string one = files.train("one", pool + R"(
      {"kind": "dense", "name": "logit", "inputs": ["most"], "out": 1}], "outputs": ["logit"])",
                                      two, "--epochs 6");
  const std::string pair = files.train("pair", pool + R"(
      {"kind": "dense", "name": "logits", "inputs": ["most"], "out": 2},
      {"kind": "softmax", "name": "p", "inputs": ["logits"]}], "outputs": ["logits", "p"],
      "losses": [{"kind": "cross_entropy", "output": "logits"}])",
                                       two, "--epochs 1 --seed 9");
  const json e = evaluated(files, one + " " + two + " --against " + pair);
  check_same_figures(e, one);
  const json swapped = evaluated(files, pair + " " + two + " --against " + one);
  check_same_figures(swapped, pair);

  std::vector<std::vector<bool>> right(2);
  std::vector<bool> is;
  std::vector<std::vector<double>> p(2);
  int m = 0;
  for (const std::string& model : {one, pair}) {
    well("predict " + model + " " + two + " -o " + model + ".out");
    const TsvTable table(predicted(model + ".out", "two", "samples.tsv"));
    for (const std::size_t row : files.test_rows()) {
      if (labels[row] == 255) continue;
      right[m].push_back(table.text(row, "predicted") == std::to_string(labels[row]));
      p[m].push_back(number(table, row, "probability_1"));
      CHECK(p[m].back() + number(table, row, "probability_0") == Approx(1));
      if (m == 0) is.push_back(labels[row] == 1);
    }
    ++m;
  }
  int only_first = 0, only_second = 0;
  for (std::size_t i = 0; i < is.size(); ++i) {
    only_first += right[0][i] && !right[1][i];
    only_second += right[1][i] && !right[0][i];
  }
  CHECK(e.at("samples") == is.size());
  CHECK(says(e.at("notes"), "1 of 24 samples have no label"));
  const json& against = e.at("against");
  CHECK(against.at("mcnemar").at("only_first") == only_first);
  CHECK(against.at("mcnemar").at("only_second") == only_second);
  CHECK(against.at("delong").at("difference").get<double>() ==
        Approx(auroc(p[0], is) - auroc(p[1], is)).margin(1e-9));
  CHECK(swapped.at("against").at("delong").at("p").get<double>() ==
        Approx(against.at("delong").at("p").get<double>()));
  const json same = evaluated(files, one + " " + two + " --against " + one);
  CHECK(same.at("against").at("mcnemar").at("p") == 1.0);
  CHECK(same.at("against").at("delong").at("p") == 1.0);
  CHECK_FALSE(says(same.at("notes"), "pixels"));
  const std::string real = files.path("real.h5");
  {
    Hdf5File file(real);
    file.dataset("images", {files.n, kSide, kSide},
                 std::vector<float>(files.images.begin(), files.images.end()));
    file.dataset("labels", {files.n}, labels);
  }
  const json pixels = evaluated(files, one + " " + real + " --against " + pair);
  for (const std::string& model : {one, pair})
    CHECK(says(pixels.at("notes"), model + " was trained on u8 pixels, these are f32"));
  CHECK(refused("evaluate " + one + " " + two + " --against " +
                    files.train("three", kClassifyHead, files.split, "--epochs 1"),
                3)
            .err.find("does not tell the same 2 classes") != std::string::npos);
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

TEST_CASE("evaluate and predict say in a line what a graph's model cannot be used for") {
  const GraphFiles files;
  const std::string classes = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::string masks = files.train("masks", kSegmentHead, files.split, "--epochs 1");
  const auto fails = [&](const std::string& line, int code, const std::string& part) {
    const std::string err = refused(line, code).err;
    INFO(line << "\n" << err);
    CHECK(err.find(part) != std::string::npos);
  };
  const std::string bare = files.path("bare.h5"), large = files.path("large.h5"),
                    unlabelled = files.path("unlabelled.h5"), many = files.path("many.h5"),
                    none = files.path("none.h5"), half = files.path("half.h5");
  const std::vector<std::uint8_t> some(files.images.begin(), files.images.begin() + 4 * kPixels);
  const auto write = [&](const std::string& path, const std::vector<std::uint8_t>& labels) {
    Hdf5File file(path);
    file.dataset("images", {4, kSide, kSide}, some);
    if (!labels.empty()) file.dataset("labels", {4}, labels);
  };
  write(bare, {});
  write(unlabelled, {255, 255, 255, 255});
  write(many, {0, 1, 2, 3});
  Hdf5File(large).dataset("images", {4, 32, 8}, some);
  Hdf5File(none).dataset("images", {0, kSide, kSide}, std::vector<std::uint8_t>());
  {
    const hid_t f16 = H5Tcopy(H5T_IEEE_F32LE);  // 1 + 5 + 10 bits
    H5Tset_fields(f16, 15, 10, 5, 0, 10);
    H5Tset_ebias(f16, 15);
    H5Tset_size(f16, 2);
    Hdf5File(half).dataset("images", {4, kSide, kSide}, std::vector<float>(4 * kPixels, 0.5f), f16);
    H5Tclose(f16);
  }

  const std::string evaluate = "evaluate " + classes + " ", out = " -o " + files.path("out");
  fails(evaluate + bare, 3, "no 'labels'");
  fails("evaluate " + masks + " " + bare, 3, "no 'masks'");
  fails(evaluate + unlabelled, 3, "label");
  fails(evaluate + many, 3, "label 3");
  fails(evaluate + large, 3, "[32, 8, 1]");
  fails(evaluate + none, 3, "no images");
  fails(evaluate + bare + " --split test", 3, "--split all");
  fails(evaluate + files.split + " --split best", 2, "unknown split");
  fails(evaluate + files.split + " " + files.whole, 2, "one HDF5 file");
  fails(evaluate + "scan.nii", 2, "one HDF5 file");
  fails(evaluate + files.split + " --spacing 1,1", 2, "--spacing");
  for (const char* spacing : {"0,1", "1,-1", "1e-4,1", "1,1e4", "nan,1", "1,inf"})
    fails("evaluate " + masks + " " + files.split + " --spacing " + spacing, 2,
          "expected 0.001 to 1000 mm");
  fails("evaluate " + masks + " " + files.split + " --against " + classes, 2, "--against");
  fails("evaluate " + masks + " " + files.split + " --reliability x.png", 2, "--reliability");
  fails(evaluate + files.split + " --brain-level 3", 2, "--brain-level");
  fails(evaluate + files.split + " --healthy " + bare, 2, "--healthy");
  fails(evaluate + files.split + " --flip-rows", 2, "--flip-rows");
  fails(evaluate + files.split + " --against " + files.path("nowhere.safetensors"), 5, "nowhere");

  const std::string predict = "predict " + classes + " ";
  fails(predict + large + out, 3, "[32, 8, 1]");
  fails(predict + none + out, 3, "no images");
  fails(predict + files.path("scan.nii.gz") + out, 3, "no HDF5 file");
  fails(predict + bare + out + " --probabilities", 2, "--probabilities");
  fails(predict + bare + out + " --brain-level 3", 2, "--brain-level");
  fails("predict " + bare + out + " --probabilities", 2, "--probabilities");
  CHECK_FALSE(std::filesystem::exists(files.path("out")));
  // No labels are no hindrance, nor are halves, which are read as f32 and said to be other pixels.
  well(predict + bare + out);
  CHECK(well(predict + half + out).out.find("trained on u8 pixels, these are f32") !=
        std::string::npos);

  if (const std::string dark = RATNET_SOURCE_DIR "/models/ratnet.safetensors";
      std::filesystem::exists(dark))
    fails(evaluate + files.split + " --against " + dark, 3, "is a model of dark_slices");
  // A model whose record of its losses is gone.
  std::string bytes = contents(classes);
  bytes.replace(bytes.find("losses"), 6, "lossez");
  std::ofstream(files.path("forgot.safetensors"), std::ios::binary) << bytes;
  fails("evaluate " + files.path("forgot.safetensors") + " " + files.split, 3, "forgot");
}

TEST_CASE("predict reads no pixels that a model only says it has") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  std::string bytes = contents(model);
  // As long as it was, so that the header's length still holds.
  const std::string labels = R"(labels\\\")", masks = R"(masks\\\" )";
  const std::size_t at = bytes.find(labels, bytes.find("cross_entropy"));
  REQUIRE(at != std::string::npos);
  bytes.replace(at, labels.size(), masks);
  const std::string crafted = files.path("crafted.safetensors"), out = files.path("out");
  std::ofstream(crafted, std::ios::binary) << bytes;
  for (const std::string& line : {"predict " + crafted + " " + files.split + " -o " + out,
                                  "evaluate " + crafted + " " + files.split}) {
    const std::string err = refused(line, 3).err;
    INFO(err);
    CHECK(err.find("crafted.safetensors: its output 'logits' is [1, 3]") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("predict refuses outputs whose arrays would go by one name") {
  const GraphFiles files;
  const auto fails = [&](const std::string& name, const std::string& head, const std::string& more,
                         const std::string& part) {
    const std::string model = files.train(name, head, files.split, "--epochs 1");
    const std::string err =
        refused("predict " + model + " " + files.split + " -o " + files.path("out") + more, 3).err;
    INFO(err);
    CHECK(err.find(name + ".safetensors: ") != std::string::npos);
    CHECK(err.find(part) != std::string::npos);
    return model;
  };
  const auto beside_masks = [](const std::string& image) {
    return R"(
      {"kind": "conv", "name": "logits", "inputs": ["relu"], "out": 3, "kernel": [1, 1]},
      {"kind": "conv", "name": ")" +
           image + R"(", "inputs": ["relu"], "out": 1, "kernel": [1, 1]}],
      "outputs": ["logits", ")" +
           image + R"("], "losses": [
      {"kind": "cross_entropy", "output": "logits", "target": "masks"},
      {"kind": "mse", "output": ")" +
           image + R"("}])";
  };
  fails("one", beside_masks("masks"), "", "both the masks and the output 'masks'");
  const std::string two =
      fails("two", beside_masks("probabilities"), " --probabilities",
            "both the probabilities of the masks and the output 'probabilities'");
  CHECK_FALSE(std::filesystem::exists(files.path("out")));
  well("predict " + two + " " + files.split + " -o " + files.path("out"));
  fails("three", R"(
      {"kind": "conv", "name": "a/b", "inputs": ["relu"], "out": 1, "kernel": [1, 1]},
      {"kind": "conv", "name": "a_b", "inputs": ["relu"], "out": 1, "kernel": [1, 1]}],
      "outputs": ["a/b", "a_b"],
      "losses": [{"kind": "mse", "output": "a/b"}, {"kind": "l1", "output": "a_b"}])",
        "", "both the output 'a/b' and the output 'a_b'");
}

TEST_CASE("classes of other names are not judged") {
  const GraphFiles files;
  const std::string model = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::string swapped = files.path("swapped.h5");
  {
    Hdf5File file(swapped);
    file.dataset("images", {files.n, kSide, kSide}, files.images);
    file.dataset("labels", {files.n}, files.labels);
    file.dataset("split", {files.n}, files.splits);
    std::vector<std::int32_t> subjects(files.n);
    for (std::size_t i = 0; i < files.n; ++i) subjects[i] = static_cast<std::int32_t>(i / 6);
    file.dataset("subject", {files.n}, subjects);
    file.strings("class_names", {"none", "bright", "grey"}, true);
  }
  const std::string other = files.train("other", kClassifyHead, swapped, "--epochs 1");
  for (const std::string& line :
       {model + " " + swapped, model + " " + files.split + " --against " + other}) {
    const std::string err = refused("evaluate " + line, 3).err;
    INFO(err);
    CHECK(err.find("'none', 'bright', 'grey'") != std::string::npos);
    CHECK(err.find("'none', 'grey', 'bright'") != std::string::npos);
    CHECK(count_lines(err) == 1);
  }
}

TEST_CASE("intervals say of how many subjects they are, and one subject has none") {
  const GraphFiles files;
  const std::string classes = files.train("classes", kClassifyHead, files.split, "--epochs 1");
  const std::string masks = files.train("masks", kSegmentHead, files.split, "--epochs 5");
  // The last samples, as if of so many subjects; none: of nobody.
  const auto of = [&](std::int32_t subjects) {
    constexpr std::size_t n = 24, first = GraphFiles::n - n;
    const std::string path = files.path("of" + std::to_string(subjects) + ".h5");
    Hdf5File file(path);
    const auto from = static_cast<std::ptrdiff_t>(first * kPixels);
    const auto tail = [&](const std::vector<std::uint8_t>& all) {
      return std::vector<std::uint8_t>(all.begin() + from, all.end());
    };
    file.dataset("images", {n, kSide, kSide}, tail(files.images));
    file.dataset("masks", {n, kSide, kSide}, tail(files.masks));
    file.dataset("labels", {n},
                 std::vector<std::uint8_t>(files.labels.begin() + first, files.labels.end()));
    std::vector<std::int32_t> subject(n);
    for (std::size_t i = 0; i < n; ++i) subject[i] = static_cast<std::int32_t>(i) % subjects;
    file.dataset("subject", {n}, subject);
    return path;
  };
  const auto interval = [&](const std::string& model, std::int32_t subjects, const char* name) {
    const json e = evaluated(files, model + " " + of(subjects));
    const json& part = e.contains("masks") ? e.at("masks")[1] : e.at("classification");
    CHECK(part.at("ci_units") == subjects);
    CHECK(part.at("ci_by_subject") == true);
    CHECK(says(e.at("notes"), "no interval") == (subjects == 1));
    CHECK(says(e.at("notes"), "rough") == (subjects > 1 && subjects < 10));
    return part.at(name);
  };
  CHECK(interval(classes, 1, "accuracy_ci").is_null());
  CHECK(interval(masks, 1, "mean_dice_ci").is_null());
  for (const std::int32_t subjects : {2, 9, 10})
    CHECK(interval(classes, subjects, "accuracy_ci").size() == 2);
  CHECK(interval(masks, 2, "mean_dice_ci").size() == 2);
  const auto line = [&](std::int32_t subjects) {
    const std::string out = well("evaluate " + classes + " " + of(subjects)).out;
    const std::size_t at = out.find("\naccuracy ") + 1;
    return out.substr(at, out.find('\n', at) - at);
  };
  CHECK(line(1).find('[') == std::string::npos);
  CHECK(line(2).find("] (2 subjects), balanced") != std::string::npos);
}

TEST_CASE("a printed evaluation cannot steer the terminal") {
  GraphEvaluation e;
  e.images.resize(1);
  e.images[0].output = "image\x1b[2J";
  e.class_names = {"a\x1b[31m", "b\x07"};
  e.classes.emplace();
  e.classes->confusion =
      confusion_matrix(std::vector<std::uint8_t>{0, 1}, std::vector<std::uint8_t>{0, 1}, 2);
  e.classes->auroc_by_class = {1, 1};
  e.notes = {"note\x1b[1A"};
  e.warnings = {"warning\x1b]0;title\x07"};
  std::FILE* const file = std::tmpfile();
  REQUIRE(file);
  print_evaluation(e, file);
  std::rewind(file);
  std::string printed(1 << 16, '\0');
  printed.resize(std::fread(printed.data(), 1, printed.size(), file));
  std::fclose(file);
  for (const char* part : {"image", "a", "note", "warning"})
    CHECK(printed.find(std::string(part) + "\xEF\xBF\xBD") != std::string::npos);
  CHECK(std::ranges::none_of(printed, [](char c) { return c >= 0 && c < 32 && c != '\n'; }));
}
