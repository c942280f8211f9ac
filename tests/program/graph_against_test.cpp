// evaluate --against: two models on the same samples.
#include "graph_evaluations.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

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
