// ratnet bench --layers.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "../../apps/program/layer_report.h"
#include "../../kernels/cpu/cpu_queue.h"
#include "../../network/model.h"
#include "lab.h"
#include "well_formed.h"

using namespace ratnet;
using namespace ratnet::test;
using Json = nlohmann::json;

namespace {

// A convolution with all that fusion puts into it, a transposed one, a layer without products and
// one that only gives memory another shape.
Graph small_graph() {
  GraphBuilder b;
  const int x = b.input("image", {12, 12, 1});
  const int conv = b.add("conv", layers::Conv{.out = 4, .kernel = {3, 3}}, {x});
  const int relu = b.add("relu", layers::Relu{}, {conv});
  const int pool = b.add("pool", layers::MaxPool{.kernel = {2, 2}}, {relu});
  const int up =
      b.add("up", layers::ConvTranspose{.out = 3, .kernel = {2, 2}, .stride = {2, 2}}, {pool});
  const int mean = b.add("mean", layers::AvgPool{.kernel = {3, 3}}, {up});
  const int flat = b.add("flat", layers::Flatten{}, {mean});
  return b.build({b.add("logits", layers::Dense{.out = 2}, {flat})});
}

constexpr double kConv = 2 * 12 * 12 * 4 * 9, kUp = 2 * 6 * 6 * 4 * 4 * 3,
                 kLogits = 2 * 4 * 4 * 3 * 2;

struct Saved {
  Folder folder;
  std::string model = folder / "small.safetensors";

  Saved() {
    const Graph graph = small_graph();
    save_model({.system = "test", .graph = graph, .weights = Weights::initialised(graph, 1)},
               model);
  }
};

}  // namespace

TEST_CASE("layers in one pass count as what goes in and out of them") {
  GraphBuilder b;
  const int x = b.input("x", {6, 5, 2});
  const auto conv = [&](const char* name) {
    return b.add(name, layers::Conv{.out = 4, .kernel = {1, 1}}, {x});
  };
  const int first = conv("first"), second = conv("second");
  const int gate = b.add("gate", layers::Sigmoid{}, {second});
  const int gated = b.add("gated", layers::Multiply{}, {first, gate});
  const int dropout = b.add("dropout", layers::Dropout{}, {gated});
  const Graph graph = b.build({b.add("again", layers::Multiply{}, {dropout, first})});
  Plan plan(graph, std::make_shared<Parameters>(open_cpu(1), Weights::initialised(graph, 1)),
            {.batch = 3});
  const LayerTimes times = time_layers(plan, 3, 1);
  REQUIRE(times.layers.size() == 3);
  CHECK(times.layers[2].name == "again");
  CHECK(times.layers[2].algorithm == "sigmoid, multiply, multiply");
  // Of the first convolution twice, as each of the products reads it, of the second, and the
  // output.
  CHECK(times.layers[2].work.bytes == 4.0 * (3 * 6 * 5 * 4) * sizeof(float));
}

TEST_CASE("layers are timed as they are fused") {
  const Graph graph = small_graph();
  Plan plan(graph, std::make_shared<Parameters>(open_cpu(2), Weights::initialised(graph, 1)),
            {.batch = 4});
  const View input = plan.input(0, 3);
  for (std::int64_t i = 0; i < input.count(); ++i)
    input.as<float>()[i] = static_cast<float>(i % 7) - 3;
  const Tensor kept = Tensor::copy_of(input);
  const LayerTimes times = time_layers(plan, 3, 2);
  // Every pass started from what was put into the input, so the last one's results are of that.
  const Tensor timed = Tensor::copy_of(plan.output(0, 3));
  const ConstView inputs[] = {kept.view()};
  Tensor expected(timed.shape(), DType::f32);
  const View outputs[] = {expected.view()};
  plan.run(inputs, outputs);
  CHECK(std::ranges::equal(timed.values<float>(), expected.values<float>()));
  std::vector<std::string> names;
  for (const LayerTime& layer : times.layers) {
    names.push_back(layer.name);
    CHECK(layer.seconds >= layer.least);
    CHECK(layer.seconds <= layer.most);
    CHECK_FALSE(layer.algorithm.empty());
    CHECK(layer.work.bytes > 0);
  }
  CHECK(names == std::vector<std::string>{"pool", "up", "mean", "logits"});
  CHECK(times.layers[0].work.flops == 3 * kConv);
  CHECK(times.layers[0].kind == "conv");
  CHECK(times.layers[1].algorithm.ends_with(" + add_bias"));
  CHECK(times.flops() == 3 * (kConv + kUp + kLogits));
  CHECK(times.pass_seconds > 0);
  CHECK_THROWS_AS(time_layers(plan, 3, 0), Error);
}

TEST_CASE("bench --layers tells times, shares and the sum, as a table, JSON and a picture") {
  const Saved saved;
  const std::string bench = "bench " + saved.model + " --layers --rounds 3 --batch 2 ";
  const std::string svg = saved.folder / "roof.svg", file = saved.folder / "layers.json";
  const std::string table = well(bench + "--svg " + svg + " --json " + file).out;
  for (const char* words : {"batch 2", "1 thread,", "median of 3 rounds", "peaks measured", "GB/s",
                            "of peak", "pool", "logits", "whole pass", "add_bias"})
    CHECK(table.find(words) != std::string::npos);
  CHECK(table.find("not conv") == std::string::npos);  // reasons are for JSON
  CHECK(is_well_formed(contents(svg)));
  CHECK(contents(svg).find("small: layers under") != std::string::npos);

  for (const std::string& text : {contents(file), well(bench + "--threads 2 --json -").out}) {
    const Json json = Json::parse(text);
    CHECK(json.at("batch") == 2);
    CHECK(json.at("rounds") == 3);
    CHECK(json.at("threads") == (text == contents(file) ? 1 : 2));
    CHECK(json.at("device") == "cpu");
    CHECK(json.at("stored") == "f32");
    CHECK(json.at("instruction_set").is_string());
    CHECK(json.at("model") == saved.model);
    const double peak = json.at("peak_flops_per_s");
    for (const char* rate : {"memory_bytes_per_s", "cache_bytes_per_s", "pass_s"})
      CHECK(json.at(rate).get<double>() > 0);
    CHECK(json.at("flops") == 2 * (kConv + kUp + kLogits));
    double sum = 0;
    REQUIRE(json.at("layers").size() == 4);
    for (const Json& layer : json.at("layers")) {
      const double seconds = layer.at("seconds"), flops = layer.at("flops");
      sum += seconds;
      CHECK(layer.at("seconds_range").at(0) <= seconds);
      CHECK(layer.at("seconds_range").at(1) >= seconds);
      CHECK(layer.at("flops_per_s").get<double>() == Approx(flops / seconds));
      CHECK(layer.at("share_of_peak").get<double>() == Approx(flops / seconds / peak));
      CHECK(layer.at("bytes_per_s").get<double>() ==
            Approx(layer.at("bytes").get<double>() / seconds));
    }
    CHECK(json.at("sum_of_layers_s").get<double>() == Approx(sum));
    CHECK(json["layers"][0].at("name") == "pool");
    CHECK(json["layers"][0].at("flops") == 2 * kConv);
    CHECK(json["layers"][2].at("flops") == 0);
  }
  // Inputs that are stored as bytes are converted, which is a layer of its own.
  const Json bytes = Json::parse(well(bench + "--stored u8 --json -").out);
  REQUIRE(bytes.at("layers").size() == 5);
  CHECK(bytes["layers"][0].at("name") == "image");
  CHECK(bytes["layers"][0].at("bytes") == 2 * 12 * 12 * 5);
}

TEST_CASE("bench --layers refuses what it cannot measure, in one line") {
  const Saved saved;
  const std::string bench = "bench " + saved.model;
  CHECK(refused(bench + " --layers --device cuda", 2).err ==
        "ratnet: --layers measures on the CPU, not on cuda; say --device cpu\n");
  CHECK(refused(bench + " --layers --batch 1,32", 2).err.find("not 2") != std::string::npos);
  refused(bench + " --layers --threads 1,2", 2);
  refused(bench + " --layers --rounds 0", 2);
  refused(bench + " --layers --seconds 1", 2);
  refused(bench + " --layers --precision bf16", 4);
  refused(bench + " --layers --svg " + (saved.folder / "roof.png"), 2);
  refused(bench + " --layers --svg " + (saved.folder / "missing/roof.svg"), 5);
  refused(bench + " --rounds 3", 2);
  refused(bench + " --svg " + (saved.folder / "roof.svg"), 2);
  CHECK(files_below(saved.folder.path()) == std::vector<std::string>{"small.safetensors"});

  // Nothing to draw: told, with the table that there is.
  GraphBuilder b;
  const int x = b.input("image", {4, 4, 1});
  const Graph graph = b.build({b.add("norm", layers::BatchNorm{}, {x})});
  save_model({.system = "test", .graph = graph, .weights = Weights::initialised(graph, 1)},
             saved.model);
  well(bench + " --layers --rounds 1");
  CHECK(refused(bench + " --layers --rounds 1 --svg " + (saved.folder / "roof.svg"), 2)
            .err.find("nothing to draw") != std::string::npos);
}
