// evaluate, of classes: its figures against plain loops over what predict wrote.
#include <algorithm>
#include <cmath>
#include <map>

#include "graph_evaluations.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

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
