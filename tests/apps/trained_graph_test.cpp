// What a model of `train --graph` tells of its training, and what it knows of samples.
#include <algorithm>

#include "../../apps/graph/evaluation.h"
#include "../../apps/graph/known_samples.h"
#include "../../kernels/open.h"
#include "../../train/graph_training.h"
#include "../../train/split.h"
#include "../catch.h"
#include "../network/refused.h"

using namespace ratnet;
using testing::refused;

namespace {

// 48 noisy images of 12 subjects; the mean tells three classes apart.
TensorDataset noise(std::uint64_t seed = 1) {
  constexpr std::int64_t n = 48;
  Random random(seed);
  Tensor images({n, 8, 8}, DType::u8);
  SampleTable table;
  for (std::int64_t i = 0; i < n; ++i) {
    table.labels.push_back(static_cast<std::uint8_t>(i % 3));
    table.subjects.push_back("s" + std::to_string(i / 4));
    for (std::int64_t p = 0; p < 64; ++p)
      images.values<std::uint8_t>()[static_cast<std::size_t>(i * 64 + p)] =
          static_cast<std::uint8_t>(80 * (i % 3) + random.integer(40));
  }
  return TensorDataset(std::move(images), std::move(table));
}

Graph classifier() {
  GraphBuilder b;
  const int mean = b.add("mean", layers::GlobalPool{}, {b.input("image", {8, 8, 1})});
  const int logits = b.add("logits", layers::Dense{.out = 3}, {mean});
  return b.build({b.add("p", layers::Softmax{}, {logits})});
}

GraphTrainingResult trained_on(TensorDataset& dataset, const Graph& graph = classifier()) {
  GraphTrainingOptions o;
  o.trainer.epochs = 2;
  o.trainer.loader = {.batch = 4, .seed = 3};
  o.trainer.threads = 1;
  return train_graph(graph, default_objective(graph, true, false), dataset, o);
}

QueueHandle one_thread() {
  return open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}});
}

}  // namespace

TEST_CASE("a model tells its scale, batch, losses and what its outputs are") {
  TensorDataset dataset = noise();
  GraphTrainingResult result = trained_on(dataset);
  const TrainedGraph trained = trained_graph(std::move(result.model), "m");
  CHECK(trained.scale == 1.0 / 255);
  CHECK(trained.batch == 4);
  REQUIRE(trained.by_label);
  CHECK(trained.by_label->output == "logits");
  CHECK_FALSE(trained.by_mask);
  CHECK(trained.others.empty());  // the softmax says the same again
  CHECK(trained.class_names() == std::vector<std::string>{"0", "1", "2"});
  CHECK(pixel_note(trained, dataset) == "");

  const QueueHandle queue = one_thread();
  const auto splits = known_splits(trained, dataset);
  REQUIRE(splits.size() == 48);
  const auto test = indices_of(splits, Split::test);
  const GraphEvaluation e = evaluate_graph(trained, queue, dataset, nullptr, test);
  CHECK(e.judgement.loss == result.test->loss);
  CHECK(e.judgement.accuracy == result.test->accuracy);
  CHECK(accuracy(e.classes->confusion) == result.test->accuracy);
  CHECK(learnt_among(trained, dataset, test)->images == 0);
  CHECK(learnt_among(trained, dataset, test)->subjects == 0);
  const auto train = indices_of(splits, Split::train);
  CHECK(learnt_among(trained, dataset, train)->images == std::ssize(train));
  CHECK(refused(ErrorKind::input, "has a label",
                [&] { evaluate_graph(trained, queue, dataset, nullptr, {}); }) == "");

  // The same images of other subjects are split otherwise: nobody can tell how the training did.
  SampleTable table = dataset.table();
  for (std::size_t i = 0; i < table.subjects.size(); ++i)
    table.subjects[i] = "s" + std::to_string(i % 12);
  CHECK(known_splits(trained, TensorDataset(Tensor::copy_of(dataset.resident()), table)).empty());

  TensorDataset other = noise(2);
  CHECK(known_splits(trained, other).empty());
  CHECK(learnt_among(trained, other, train)->images == 0);
}

TEST_CASE("other outputs of a graph, and images that losses read, are told apart from classes") {
  GraphBuilder b;
  const int image = b.input("image", {8, 8, 1});
  const int mean = b.add("mean", layers::GlobalPool{}, {image});
  const int logits = b.add("logits", layers::Dense{.out = 3}, {mean});
  b.add("again", layers::Conv{.out = 1, .kernel = {1, 1}}, {image});
  const Graph graph = b.build({mean, b.add("p", layers::Softmax{}, {logits})});
  Model model;
  model.system = "graph";
  model.graph = graph;
  model.preprocessing = {{"multiply", {{"by", 2}}}};
  model.provenance = {{"batch", "8"}, {"losses", R"([{"kind": "cross_entropy", "output": "logits"},
      {"kind": "l1", "output": "again"}])"}};
  const TrainedGraph trained = trained_graph(std::move(model), "m");
  CHECK(trained.images == std::vector<std::string>{"again"});
  CHECK(trained.others == std::vector<std::string>{"again", "mean"});
  CHECK_FALSE(trained.learnt);
}

TEST_CASE("an output that its losses read as something else is refused") {
  const auto fails = [](const std::string& part, const std::string& loss) {
    GraphBuilder b;
    const int image = b.input("image", {8, 8, 2});
    const int mean = b.add("mean", layers::GlobalPool{}, {image});
    const int logits = b.add("logits", layers::Dense{.out = 3}, {mean});
    const int small =
        b.add("small", layers::Conv{.out = 2, .kernel = {1, 1}, .stride = {2, 2}}, {image});
    const int wide = b.add("wide", layers::Conv{.out = 300, .kernel = {1, 1}}, {image});
    const int again = b.add("again", layers::Conv{.out = 2, .kernel = {1, 1}}, {image});
    Model model;
    model.system = "graph";
    model.graph = b.build({logits, small, wide, again});
    model.preprocessing = {{"multiply", {{"by", 1}}}};
    model.provenance = {{"batch", "8"}, {"losses", "[{" + loss + "}]"}};
    if (part.empty()) {
      trained_graph(std::move(model), "file");
      return std::string();
    }
    return refused(ErrorKind::input, part, [&] { trained_graph(std::move(model), "file"); });
  };
  const std::string cross = R"("kind": "cross_entropy", "target": )",
                    binary = R"("kind": "binary_cross_entropy", "target": )";
  CHECK(fails("", cross + R"("labels", "output": "logits")") == "");
  CHECK(fails("", cross + R"("masks", "output": "again")") == "");
  CHECK(fails("", R"("kind": "ssim", "output": "again")") == "");
  CHECK(fails("file: the loss cross_entropy of 'logits' gets [3]",
              cross + R"("masks", "output": "logits")") == "");
  CHECK(fails("reads logits of K >= 2 classes [8, 8, K]",
              cross + R"("masks", "output": "small")") == "");
  CHECK(fails("reads probabilities [8, 8, K]", R"("kind": "dice", "output": "small")") == "");
  CHECK(fails("[K] for labels", cross + R"("labels", "output": "again")") == "");
  CHECK(fails("one logit [1]", binary + R"("labels", "output": "logits")") == "");
  CHECK(fails("one logit [8, 8, 1]", binary + R"("masks", "output": "again")") == "");
  for (const char* kind : {"mse", "l1", "ssim"})
    CHECK(fails("reads an image like the input, [8, 8, 2]",
                "\"kind\": \"" + std::string(kind) + R"(", "output": "small")") == "");
  CHECK(fails("file: the output 'wide' tells 300 classes",
              cross + R"("masks", "output": "wide")") == "");
}

TEST_CASE("what a model's file says cannot steer the terminal") {
  TensorDataset dataset = noise();
  Model model = trained_on(dataset).model;
  model.class_names = {"a", "b\x1b[2J", "c"};
  model.warnings = {"look\x1b]0;here"};
  model.provenance["pixels"] = "u\x1b[31m8";
  const TrainedGraph trained = trained_graph(std::move(model), "m");
  CHECK(trained.class_names() == std::vector<std::string>{"a", "b\xEF\xBF\xBD[2J", "c"});
  CHECK(trained.model.warnings[0] == "look\xEF\xBF\xBD]0;here");
  CHECK(pixel_note(trained, dataset).find("u\xEF\xBF\xBD[31m8 pixels") != std::string::npos);
}

TEST_CASE("what goes wrong in a judgement names the model and the file") {
  TensorDataset dataset = noise();
  Model model = trained_on(dataset).model;
  for (Weights::Entry& entry : model.weights.entries())
    std::ranges::fill(entry.value.values<float>(), std::nanf(""));
  const TrainedGraph trained = trained_graph(std::move(model), "m.safetensors");
  const auto test = indices_of(known_splits(trained, dataset), Split::test);
  CHECK(refused(ErrorKind::input, "m.safetensors on images in memory: ", [&] {
          evaluate_graph(trained, one_thread(), dataset, nullptr, test);
        }) == "");
}

TEST_CASE("classes are judged by names that both sides have") {
  TensorDataset nameless = noise();
  Model model = trained_on(nameless).model;
  model.class_names = {"low", "mid", "high"};
  const TrainedGraph trained = trained_graph(std::move(model), "m");
  check_class_names(trained, {}, "f");
  check_class_names(trained, {"low", "mid", "high"}, "f");
  CHECK(refused(ErrorKind::input, "f: its classes are 'mid', 'low', 'high', those of m are 'low', ",
                [&] {
                  check_class_names(trained, {"mid", "low", "high"}, "f");
                }) == "");
  CHECK(refused(ErrorKind::input, "'low', 'mid'", [&] {
          check_class_names(trained, {"low", "mid"}, "f");
        }) == "");
}

TEST_CASE("models that do not say how they were trained are refused by name") {
  TensorDataset dataset = noise();
  const Model good = trained_on(dataset).model;
  const auto fails = [&](const std::string& part, const std::function<void(Model&)>& damage) {
    Model model;
    model.system = good.system;
    model.graph = good.graph;
    model.preprocessing = good.preprocessing;
    model.provenance = good.provenance;
    damage(model);
    return refused(ErrorKind::input, part, [&] {
      try {
        trained_graph(std::move(model), "file");
      } catch (const Error& error) {
        CHECK(std::string(error.what()).rfind("file: ", 0) == 0);
        throw;
      }
    });
  };
  CHECK(fails("model of anomaly", [](Model& m) { m.system = "anomaly"; }) == "");
  CHECK(fails("'losses'", [](Model& m) { m.provenance.erase("losses"); }) == "");
  CHECK(fails("losses", [](Model& m) { m.provenance["losses"] = "[[[["; }) == "");
  CHECK(fails("nowhere", [](Model& m) {
          m.provenance["losses"] = R"([{"kind": "cross_entropy", "output": "nowhere"}])";
        }) == "");
  CHECK(fails("'batch'", [](Model& m) { m.provenance.erase("batch"); }) == "");
  for (const char* batch : {"", "0", "-3", "4x", "99999999999999999999"})
    CHECK(fails("batches of", [&](Model& m) { m.provenance["batch"] = batch; }) == "");
  CHECK(fails("multiplied by", [](Model& m) { m.preprocessing.clear(); }) == "");
  for (const double by : {0.0, -1.0, std::nan("")})
    CHECK(fails("multiplied by", [&](Model& m) { m.preprocessing[0].values["by"] = by; }) == "");
  CHECK(fails("do not ascend", [](Model& m) { m.coefficients[kLearntImages] = {2, 1}; }) == "");
}

TEST_CASE("a model of patches tells their size, and takes images of any") {
  GraphBuilder b;
  const int image = b.input("image", {8, 4, 1});
  const Graph graph = b.build({b.add("again", layers::Conv{.out = 1, .kernel = {1, 1}}, {image})});
  TensorDataset dataset = noise();
  GraphTrainingOptions o;
  o.trainer.epochs = 1;
  o.trainer.loader = {.batch = 4, .seed = 3};
  o.trainer.threads = 1;
  o.patches = Patches{.per_image = 2};
  const Model model =
      train_graph(graph, {{.kind = LossKind::mse, .target = LossTarget::image}}, dataset, o).model;
  CHECK(model.provenance.at(kPatches) == R"({"per_image":2})");
  const auto read = [&](const std::string& patches) {
    return trained_graph({.system = model.system,
                          .graph = patches == "code" ? classifier() : model.graph,
                          .weights = model.weights.clone(),
                          .preprocessing = model.preprocessing,
                          .provenance = {{"losses", model.provenance.at("losses")},
                                         {"batch", "4"},
                                         {kPatches, patches}}},
                         "m");
  };
  const TrainedGraph trained = read(R"({"per_image":2})");
  CHECK(trained.patches->size == std::vector<std::int64_t>{8, 4});
  CHECK(trained.patch_axes() == 2u);
  CHECK_NOTHROW(check_images(trained, dataset));
  const TensorDataset volumes(Tensor({2, 3, 8, 9, 1}, DType::u8), {}),
      colours(Tensor({2, 8, 9, 3}, DType::u8), {});
  CHECK_NOTHROW(check_images(trained, volumes));
  CHECK(refused(ErrorKind::input, "of which there are no patches",
                [&] { check_images(trained, colours); }) == "");
  for (const char* bad : {"", "8", R"({"per_image":0})", R"({"other":1})"})
    CHECK(refused(ErrorKind::input, "m: patches", [&] { read(bad); }) == "");
  CHECK(refused(ErrorKind::input, "m: ", [&] { read("code"); }) == "");
}
