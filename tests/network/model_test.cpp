#include "../../network/model.h"

#include <cmath>
#include <cstring>

#include <cstring>
#include "../../apps/dark_slices/ratnet.h"
#include "../../core/atomic_file.h"
#include "../../network/predictor.h"
#include "../../network/safetensors.h"

#include "../catch.h"
#include "../kernels/random_tensor.h"
#include "refused.h"
#include "temporary_folder.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

Model full_model() {
  Model model;
  model.system = "dark_slices";
  model.graph = ratnet_graph(16);
  model.weights = Weights::initialised(model.graph, 1);
  model.preprocessing = {{"resample", {{"rows", 16}, {"columns", 16.5}}}, {"nothing", {}}};
  model.class_names = {"good", "dark \"\xc3\xa9\""};
  model.threshold = 0.123456789012345678;
  model.calibration = {{"temperature", 1.75}, {"loss", 1e-300}};
  model.metrics = {{"auroc", 0.987654321098765432}, {"auprc", std::nan("")}, {"n", 30000}};
  model.coefficients = {{"logistic", {-1.5, 1.0 / 3, 2e10}}, {"none", {}}};
  model.provenance = {{"data", "0123abcd"}, {"command", "ratnet train \n --seed 1"}};
  model.warnings = {"trained without subjects", ""};
  return model;
}

// The file of a model with one text in its description replaced by another.
void rewrite(const std::string& path, const std::string& from, const std::string& to) {
  const SafetensorsFile file(path);
  auto metadata = file.metadata();
  std::string& description = metadata.at("ratnet");
  const std::size_t at = description.find(from);
  REQUIRE(at != std::string::npos);
  description.replace(at, from.size(), to);
  std::vector<NamedView> tensors;
  for (const auto& [name, view] : file.tensors()) tensors.push_back({name, view});
  write_safetensors(path, metadata, tensors);
}

}  // namespace

TEST_CASE("every member of a model comes back from its file") {
  const TemporaryFolder folder;
  const Model model = full_model();
  save_model(model, folder / "m.safetensors");
  const Model again = load_model(folder / "m.safetensors");
  CHECK(again.system == model.system);
  CHECK(again.graph.to_json() == model.graph.to_json());
  REQUIRE(again.weights.entries().size() == model.weights.entries().size());
  for (std::size_t i = 0; i < model.weights.entries().size(); ++i) {
    CHECK(again.weights.entries()[i].name == model.weights.entries()[i].name);
    CHECK(same_bits(again.weights.entries()[i].value, model.weights.entries()[i].value));
  }
  REQUIRE(again.preprocessing.size() == 2);
  CHECK(again.preprocessing[0].name == "resample");
  CHECK(again.preprocessing[0].values == model.preprocessing[0].values);
  CHECK(again.preprocessing[1].values.empty());
  CHECK(again.class_names == model.class_names);
  CHECK(again.threshold == model.threshold);
  CHECK(again.calibration == model.calibration);
  CHECK(again.metrics.size() == 3);
  CHECK(again.metrics.at("auroc") == model.metrics.at("auroc"));
  CHECK(std::isnan(again.metrics.at("auprc")));
  CHECK(again.coefficients == model.coefficients);
  CHECK(again.provenance == model.provenance);
  CHECK(again.warnings == model.warnings);
}

TEST_CASE("the same model gives the same file") {
  const TemporaryFolder folder;
  save_model(full_model(), folder / "a");
  save_model(load_model(folder / "a"), folder / "b");
  CHECK(read_file(folder / "a", 1 << 20) == read_file(folder / "b", 1 << 20));
}

TEST_CASE("a model that could not be read again is not written") {
  const TemporaryFolder folder;
  const auto save = [&](const Model& model) { save_model(model, folder / "m"); };
  Model model = full_model();
  model.threshold = std::nan("");
  CHECK(refused(ErrorKind::usage, "threshold", [&] { save(model); }) == "");
  model = full_model();
  model.coefficients["logistic"][1] = std::nan("");
  CHECK(refused(ErrorKind::usage, "logistic", [&] { save(model); }) == "");
  model = full_model();
  model.weights = Weights::initialised(ratnet_graph(32), 1);
  CHECK(refused(ErrorKind::input, "dense/weight", [&] { save(model); }) == "");
  model = full_model();
  model.weights = Weights::initialised(model.graph, 1, DType::f64);
  CHECK(refused(ErrorKind::usage, "f32", [&] { save(model); }) == "");
  CHECK(folder.files() == 0);

  model = full_model();
  model.class_names = {"\xff\xfe", "b"};  // text of another encoding
  save(model);
  CHECK(load_model(folder / "m").class_names[1] == "b");
}

TEST_CASE("models of other formats, other files and damaged ones are refused by name") {
  const TemporaryFolder folder;
  const std::string path = folder / "m";
  const auto load = [&] { (void)load_model(path); };
  CHECK(refused(ErrorKind::file_system, path, load) == "");
  for (const char* format : {"\"format\":2", "\"format\":0", "\"format\":-1"}) {
    save_model(full_model(), path);
    rewrite(path, "\"format\":1,\"graph\":{\"format\":1",
            std::string(format) + ",\"graph\":{\"format\":1");
    CHECK(refused(ErrorKind::input, path + ": is a model of format", load) == "");
  }
  for (const auto& [from, to, part] :
       {std::tuple{"\"graph\":{\"format\":1", "\"graph\":{\"format\":7", "graph format 7"},
        {"\"threshold\":0.1", "\"threshold\":null,\"x\":0.1", ""},
        {"\"system\":", "\"systen\":", ""},
        {"\"class_names\":[", "\"class_names\":[3,", ""},
        {"\"kind\":\"relu\"", "\"kind\":\"swish\"", "swish"},
        {"\"name\":\"conv1\"", "\"name\":\"conv9\"", ""},
        {"\"out\":128", "\"out\":127", "dense/weight"},
        {"\"warnings\":[", "\"warnings\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", ""}}) {
    save_model(full_model(), path);
    rewrite(path, from, to);
    INFO(to);
    CHECK(refused(ErrorKind::input, part, load) == "");
    CHECK(refused(ErrorKind::input, path, load) == "");
  }
  write_safetensors(path, {}, {});
  CHECK(refused(ErrorKind::input, "no model of ratnet", load) == "");
  write_file(path, "NIfTI or so: not safetensors at all");
  CHECK(refused(ErrorKind::input, path, load) == "");
}

TEST_CASE("a predictor gives probabilities, alike in every batch") {
  const Model model = full_model();
  Predictor predictor(model, {.batch = 4, .threads = 2});
  CHECK(predictor.input_size() == 256);
  CHECK(predictor.output_size() == 2);
  CHECK(predictor.device().kind == DeviceKind::cpu);
  std::vector<float> images(256 * 11);
  Random random(5);
  for (float& pixel : images) pixel = static_cast<float>(random.uniform(0, 3));
  const std::vector<float> all = predictor.run(images);
  REQUIRE(all.size() == 22);
  for (std::size_t i = 0; i < 11; ++i) {
    CHECK(all[2 * i] >= 0);
    CHECK(all[2 * i + 1] >= 0);
    CHECK(std::abs(all[2 * i] + all[2 * i + 1] - 1) < 1e-6);
    const std::vector<float> one =
        Predictor(model, {.batch = 1, .threads = 1}).run(std::span(images).subspan(i * 256, 256));
    CHECK(std::equal(one.begin(), one.end(), all.begin() + static_cast<long>(2 * i)));
  }
  CHECK(predictor.run({}).empty());
}

TEST_CASE("a predictor takes pixels as they are stored, in as many batches as it needs",
          "[device]") {
  const Model model = full_model();
  constexpr std::int64_t n = 11;
  Random random(6);
  const Tensor scales = random_tensor({n}, DType::f32, random, 0.001, 0.01);
  for (const DType stored : {DType::u8, DType::i16}) {
    INFO(name_of(stored));
    const Tensor pixels = random_tensor({n, 16, 16, 1}, stored, random, 0, 255);
    std::vector<float> scaled;
    for (std::size_t i = 0; i < 256 * n; ++i)
      scaled.push_back(static_cast<float>(doubles(pixels)[i]) * scales.values<float>()[i / 256]);
    Predictor reference(model, {.batch = 16, .threads = 2, .device = test_device()});
    const std::vector<float> expected = reference.run(scaled);
    // Seven batches, from fast memory to fast memory; twice, since later runs may be replays.
    Predictor predictor(model,
                        {.batch = 2, .threads = 2, .device = test_device(), .input_type = stored});
    const HostBuffer from = predictor.host_memory(pixels.bytes());
    std::memcpy(from.data(), pixels.data(), pixels.bytes());
    for (int round = 0; round < 3; ++round) {
      const HostBuffer to = predictor.host_memory(expected.size() * sizeof(float));
      predictor.run(ConstView(from.data(), stored, pixels.shape()), scales,
                    View(to.data(), DType::f32, {n, 2}));
      CHECK(std::memcmp(to.data(), expected.data(), to.bytes()) == 0);
    }
    Tensor unscaled({n, 2}, DType::f32);
    predictor.run(pixels, {}, unscaled);
    CHECK(std::memcmp(unscaled.data(), expected.data(), unscaled.bytes()) != 0);
    CHECK(refused(ErrorKind::usage, "scales are f32",
                  [&] { predictor.run(pixels, unscaled, unscaled); }) == "");
    CHECK(refused(ErrorKind::usage, "inputs are", [&] { predictor.run(scales, {}, unscaled); }) ==
          "");
  }
}

TEST_CASE("a predictor for which a device has room once works without the rest", "[device]") {
  // The emulated device has 1 GiB, and a batch takes more than half of it.
  if (test_device().kind != DeviceKind::cuda_emulated) return;
  constexpr std::int64_t kBatch = 30000;
  GraphBuilder builder;
  int last = builder.input("image", {64, 64, 1});
  last = builder.add("relu", layers::Relu{}, {last});
  last = builder.add("corner", layers::MaxPool{.kernel = {1}, .stride = {64}}, {last});
  last = builder.add("flat", layers::Flatten{}, {last});
  Model model;
  model.graph = builder.build({builder.add("out", layers::Dense{.out = 1}, {last})});
  model.weights = Weights::initialised(model.graph, 1);
  Predictor predictor(model, {.batch = kBatch, .device = test_device()});
  const std::vector<float> images(static_cast<std::size_t>(kBatch + 2) * 64 * 64, 1.0f);
  const std::vector<float> outputs = predictor.run(images);
  CHECK(outputs.front() == outputs.back());
  CHECK(outputs.front() != 0);
}

TEST_CASE("a predictor refuses what it cannot do") {
  const Model model = full_model();
  Predictor predictor(model, {.threads = 1});
  const std::vector<float> odd(255);
  CHECK(refused(ErrorKind::usage, "whole samples of 256", [&] { predictor.run(odd); }) == "");
  std::vector<float> image(256), room(3);
  CHECK(refused(ErrorKind::usage, "room", [&] { predictor.run(image, room); }) == "");
  // Where the modules are not, no device of theirs is.
  setenv("RATNET_MODULES", "/dev/null", 1);
  for (const DeviceKind kind : {DeviceKind::cuda, DeviceKind::cuda_emulated})
    CHECK(refused(ErrorKind::device, "cannot be used", [&] {
            Predictor(model, {.device = {kind, 0}});
          }) == "");
  unsetenv("RATNET_MODULES");
  CHECK(refused(ErrorKind::usage, "batch", [&] { Predictor(model, {.batch = 0}); }) == "");
}
