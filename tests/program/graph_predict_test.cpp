// What predict writes of images, and the arrays that it refuses to write.
#include <cmath>

#include "graph_evaluations.h"

using namespace ratnet;
using namespace ratnet::test;
using nlohmann::json;

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
    CHECK(err.find("crafted.safetensors: the loss cross_entropy of 'logits' gets [3]") !=
          std::string::npos);
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
