// The networks of the systems: what their authors describe, in numbers.
#include "../../apps/anomaly/autoencoders.h"
#include "../../apps/microbleeds/unet.h"
#include "../../apps/motion/conv5_fc3.h"
#include "../../apps/series/series_network.h"
#include "../../network/graph_table.h"
#include "../../network/weights.h"
#include "../catch.h"
#include "../network/refused.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

Shape shape_of(const Graph& graph, const char* node) {
  return graph.infer(2, false)[static_cast<std::size_t>(graph.find(node))].output;
}

std::int64_t trainable(const Graph& graph) { return graph_table(graph).trainable; }

// Of one sample, in millions.
double mega_multiply_adds(const Graph& graph) { return graph_table(graph).multiply_adds / 1e6; }

void check_json(const Graph& graph) {
  const Graph again = Graph::from_json(graph.to_json());
  CHECK(again.to_json() == graph.to_json());
  CHECK(trainable(again) == trainable(graph));
}

// Two 3x3 convolutions without bias, each with scale and shift.
constexpr std::int64_t level(std::int64_t in, std::int64_t out) {
  return 9 * in * out + 9 * out * out + 4 * out;
}

}  // namespace

TEST_CASE("the denoising autoencoder is what its authors describe") {
  const Graph graph = denoising_autoencoder_graph();
  CHECK(shape_of(graph, "enc1/relu2") == Shape{2, 64, 64, 16});
  CHECK(shape_of(graph, "enc2/conv1") == Shape{2, 32, 32, 32});
  CHECK(shape_of(graph, "enc4/relu2") == Shape{2, 8, 8, 128});
  CHECK(shape_of(graph, "dec3/skip") == Shape{2, 16, 16, 192});
  CHECK(shape_of(graph, "reconstruction") == Shape{2, 64, 64, 1});
  CHECK(graph.outputs().size() == 1);
  // About 488,000, as they say.
  CHECK(trainable(graph) == 487'713);
  CHECK(trainable(graph) == level(1, 16) + level(16, 32) + level(32, 64) + level(64, 128) +
                                level(128 + 64, 64) + level(64 + 32, 32) + level(32 + 16, 16) + 17);
  // Pixels times weights, level by level: 64^2, 32^2, 16^2, 8^2.
  CHECK(mega_multiply_adds(graph) ==
        Approx((4096 * (9 * 16 + 2304 + 6912 + 2304 + 16) + 1024 * (4608 + 9216 + 27648 + 9216) +
                256 * (18432 + 36864 + 110592 + 36864) + 64 * (73728 + 147456)) /
               1e6));
  check_json(graph);
  const Graph small =
      denoising_autoencoder_graph({.size = {12, 12}, .channels = 2, .widths = {3, 5, 4}});
  CHECK(shape_of(small, "enc3/relu2") == Shape{2, 3, 3, 4});
  CHECK(shape_of(small, "reconstruction") == Shape{2, 12, 12, 2});
  CHECK(
      refused(ErrorKind::usage,
              "denoising autoencoder: a size of 60 cannot be halved 3 times; give a multiple of 8",
              [] {
                denoising_autoencoder_graph({.size = {64, 60}});
              }) == "");
}

TEST_CASE("the autoencoders with a bottleneck pass all through 128 numbers") {
  // Convolutions of 9 taps with scale and shift, down and up again; one 1x1 convolution.
  const std::int64_t convolutions =
      9 * (1 * 16 + 16 * 32 + 32 * 64 + 64 * 128) + 2 * (16 + 32 + 64 + 128) +
      9 * (128 * 64 + 64 * 32 + 32 * 16 + 16 * 16) + 2 * (64 + 32 + 16 + 16) + 17;
  const std::int64_t into_code = 2048 * 128 + 128, out_of_code = 128 * 2048 + 2048;

  const Graph plain = convolutional_autoencoder_graph();
  CHECK(shape_of(plain, "enc1/conv") == Shape{2, 32, 32, 16});
  CHECK(shape_of(plain, "enc/flatten") == Shape{2, 4 * 4 * 128});
  CHECK(shape_of(plain, "code") == Shape{2, 128});
  CHECK(shape_of(plain, "dec/image") == Shape{2, 4, 4, 128});
  CHECK(shape_of(plain, "dec4/relu") == Shape{2, 8, 8, 64});
  CHECK(shape_of(plain, "reconstruction") == Shape{2, 64, 64, 1});
  CHECK(trainable(plain) == convolutions + into_code + out_of_code);
  CHECK(mega_multiply_adds(plain) ==
        Approx((9 * (1024 * 16 + 256 * 512 + 64 * 2048 + 16 * 8192 + 64 * 8192 + 256 * 2048 +
                     1024 * 512 + 4096 * 256) +
                4096 * 16 + 2 * 2048 * 128) /
               1e6));
  check_json(plain);

  const Graph variational = variational_autoencoder_graph();
  REQUIRE(variational.outputs().size() == 3);
  CHECK(variational.outputs()[0] == variational.find("reconstruction"));
  CHECK(variational.outputs()[1] == variational.find("mean"));
  CHECK(variational.outputs()[2] == variational.find("log_variance"));
  CHECK(shape_of(variational, "log_variance") == Shape{2, 128});
  CHECK(shape_of(variational, "reconstruction") == Shape{2, 64, 64, 1});
  CHECK(trainable(variational) == convolutions + 2 * into_code + out_of_code);
  check_json(variational);

  CHECK(refused(ErrorKind::usage,
                "autoencoder: a size of 72 cannot be halved 4 times; give a multiple of 16", [] {
                  convolutional_autoencoder_graph({.size = {72, 64}});
                }) == "");
  CHECK(refused(ErrorKind::usage, "autoencoder: 0 widths, expected 1 to 16",
                [] { variational_autoencoder_graph({.widths = {}}); }) == "");
}

TEST_CASE("the autoencoders take patches of volumes") {
  const Graph denoising =
      denoising_autoencoder_graph({.size = {4, 8, 12}, .channels = 2, .widths = {3, 5, 4}});
  CHECK(shape_of(denoising, "enc3/relu2") == Shape{2, 1, 2, 3, 4});
  CHECK(shape_of(denoising, "reconstruction") == Shape{2, 4, 8, 12, 2});
  CHECK(trainable(denoising) ==
        27 * (2 * 3 + 3 * 3 + 3 * 5 + 5 * 5 + 5 * 4 + 4 * 4 + 9 * 5 + 5 * 5 + 8 * 3 + 3 * 3) +
            4 * (3 + 5 + 4 + 5 + 3) + 3 * 2 + 2);
  check_json(denoising);
  const AutoencoderOptions options{.size = {4, 8, 12}, .widths = {3, 5}, .code = 7};
  const std::int64_t convolutions = 27 * (3 + 15 + 15 + 9) + 2 * (3 + 5 + 3 + 3) + 3 + 1;
  constexpr std::int64_t kDeepest = 1 * 2 * 3 * 5;
  const Graph plain = convolutional_autoencoder_graph(options);
  CHECK(shape_of(plain, "dec/image") == Shape{2, 1, 2, 3, 5});
  CHECK(shape_of(plain, "reconstruction") == Shape{2, 4, 8, 12, 1});
  CHECK(trainable(plain) == convolutions + (kDeepest * 7 + 7) + (7 * kDeepest + kDeepest));
  check_json(plain);
  const Graph variational = variational_autoencoder_graph(options);
  CHECK(shape_of(variational, "reconstruction") == Shape{2, 4, 8, 12, 1});
  CHECK(trainable(variational) == trainable(plain) + kDeepest * 7 + 7);
  check_json(variational);
  CHECK(refused(ErrorKind::usage,
                "autoencoder: a size of 2 cannot be halved 2 times; give a multiple of 4", [] {
                  convolutional_autoencoder_graph({.size = {2, 8, 8}, .widths = {3, 5}});
                }) == "");
  CHECK(refused(ErrorKind::usage,
                "denoising autoencoder: 1 sizes, expected 2 (slices) or 3 (volumes)",
                [] { denoising_autoencoder_graph({.size = {64}}); }) == "");
}

TEST_CASE("the series network is what its description says") {
  const Graph graph = series_network_graph(9);
  CHECK(shape_of(graph, "block1/pool") == Shape{2, 64, 64, 32});
  CHECK(shape_of(graph, "block4/pool") == Shape{2, 8, 8, 256});
  CHECK(shape_of(graph, "mean") == Shape{2, 256});
  CHECK(shape_of(graph, "probability") == Shape{2, 9});
  CHECK(trainable(graph) ==
        9 * (32 + 32 * 64 + 64 * 128 + 128 * 256) + 2 * (32 + 64 + 128 + 256) + 256 * 9 + 9);
  CHECK(mega_multiply_adds(graph) ==
        Approx((9 * (16384 * 32 + 4096 * 2048 + 1024 * 8192 + 256 * 32768) + 256 * 9) / 1e6));
  check_json(graph);
}

TEST_CASE("Conv5_FC3 is what its authors describe") {
  const Graph graph = conv5_fc3_graph();
  CHECK(shape_of(graph, "block1/conv") == Shape{2, 96, 112, 96, 8});
  CHECK(shape_of(graph, "block4/pool") == Shape{2, 6, 7, 6, 64});
  CHECK(shape_of(graph, "block5/pool") == Shape{2, 3, 3, 3, 128});
  CHECK(shape_of(graph, "fc1") == Shape{2, 1300});
  CHECK(shape_of(graph, "probability") == Shape{2, 2});
  CHECK(trainable(graph) == 27 * (8 + 8 * 16 + 16 * 32 + 32 * 64 + 64 * 128) +
                                2 * (8 + 16 + 32 + 64 + 128) + 3456 * 1300 + 1300 + 1300 * 50 + 50 +
                                50 * 2 + 2);
  CHECK(mega_multiply_adds(graph) ==
        Approx((27. * (1032192 * 8 + 129024 * 128 + 16128 * 512 + 2016 * 2048 + 252 * 8192) +
                3456 * 1300 + 1300 * 50 + 50 * 2) /
               1e6));
  check_json(graph);
  CHECK(refused(ErrorKind::usage, "conv5_fc3: 2 sizes, expected 3", [] {
          conv5_fc3_graph({.size = {96, 96}});
        }) == "");
}

TEST_CASE("the U-Net has five poolings, in two dimensions and in three") {
  const Graph graph = unet_graph(3);
  CHECK(shape_of(graph, "enc1/relu2") == Shape{2, 256, 256, 32});
  CHECK(shape_of(graph, "enc5/pool") == Shape{2, 8, 8, 512});
  CHECK(shape_of(graph, "enc6/relu2") == Shape{2, 8, 8, 1024});
  CHECK(shape_of(graph, "dec5/up") == Shape{2, 16, 16, 512});
  CHECK(shape_of(graph, "dec5/skip") == Shape{2, 16, 16, 1024});
  CHECK(shape_of(graph, "logits") == Shape{2, 256, 256, 3});
  CHECK(shape_of(graph, "probability") == Shape{2, 256, 256, 3});
  std::int64_t expected = level(3, 32) + 32 * 3 + 3;
  double multiply_adds = 256. * 256 * (9 * (3 * 32 + 32 * 32) + 32 * 3);
  for (const std::int64_t width : {32, 64, 128, 256, 512}) {
    const std::int64_t edge = 256 * 32 / width;
    expected += level(width, 2 * width) + level(2 * width, width);
    expected += 4 * 2 * width * width + width;  // up, with bias
    // Per pixel of this level: the decoder's convolutions, and a quarter of the next level's and
    // of the transposed convolution's four taps.
    multiply_adds +=
        static_cast<double>(edge * edge * width * width) * (9 * (2 + 1) + 9 * (2 + 4) / 4. + 2);
  }
  CHECK(trainable(graph) == expected);
  CHECK(mega_multiply_adds(graph) == Approx(multiply_adds / 1e6));
  check_json(graph);

  const Graph volume = unet_graph(2, {.size = {16, 8, 24}, .channels = 1, .widths = {4, 6, 10}});
  CHECK(shape_of(volume, "enc3/relu2") == Shape{2, 4, 2, 6, 10});
  CHECK(shape_of(volume, "logits") == Shape{2, 16, 8, 24, 2});
  CHECK(trainable(volume) == 27 * (4 + 16 + 24 + 36 + 60 + 100) + 4 * (4 + 6 + 10) +
                                 8 * (10 * 6 + 6 * 4) + 6 + 4 + 27 * (72 + 36 + 32 + 16) +
                                 4 * (6 + 4) + 4 * 2 + 2);
  check_json(volume);

  CHECK(refused(ErrorKind::usage,
                "unet: a size of 250 cannot be halved 5 times; give a multiple of 32", [] {
                  unet_graph(2, {.size = {256, 250}});
                }) == "");
  CHECK(refused(ErrorKind::usage, "unet: 1 sizes, expected 2 (slices) or 3 (volumes)",
                [] { unet_graph(2, {.size = {256}}); }) == "");
}

TEST_CASE("parts of the networks are frozen by their names") {
  const Graph graph = unet_graph(2, {.size = {16, 16}, .widths = {2, 3}});
  Weights weights = Weights::initialised(graph, 1);
  CHECK(weights.freeze("enc*") == 4 * 5);  // a weight, scale, shift, mean and variance each
  CHECK(weights.freeze("dec1/up/*") == 2);
  Weights code = Weights::initialised(
      variational_autoencoder_graph({.size = {8, 8}, .widths = {2}, .code = 3}), 1);
  CHECK(code.freeze("enc*") == 5);
}
