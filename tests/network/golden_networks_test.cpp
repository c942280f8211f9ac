// The systems' networks, made small, against PyTorch in double precision
// (scripts/golden/networks.py).
#include <functional>

#include "../../apps/anomaly/autoencoders.h"
#include "../../apps/microbleeds/unet.h"
#include "../../apps/motion/conv5_fc3.h"
#include "../../apps/series/series_network.h"
#include "../../kernels/cross_entropy.h"
#include "../../kernels/dice_loss.h"
#include "../../kernels/element_loss.h"
#include "../../kernels/gaussian_kl.h"
#include "../../kernels/submit.h"
#include "../../train/optimiser.h"
#include "../catch.h"
#include "golden.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::uint32_t kTarget = 2000, kMask = 2001, kLabels = 2002;  // streams
constexpr std::uint64_t kSeed = 7;
constexpr int kSteps = 10;
constexpr double kInDouble = 1e-11;  // the tolerance

Doubles kept(const Doubles& values) {
  return values.size() > 2000 ? every_seventh(values) : values;
}

const SafetensorsFile& golden() {
  static const SafetensorsFile file = golden_file("networks");
  return file;
}

struct Case;

struct Network {
  std::string name;  // in the file
  Graph graph;
  std::int64_t n;
  // Submits the losses of the outputs and gives their sum.
  std::function<double(Case&)> loss;
};

struct Case {
  const Network& network;
  std::shared_ptr<Parameters> parameters;
  Plan plan;
  std::int64_t n;
  DType type;
  std::vector<Buffer> buffers;

  Case(const Network& net, DType dtype, bool fuse)
      : network(net),
        parameters(std::make_shared<Parameters>(test_queue(), golden_weights(net.graph, dtype))),
        plan(net.graph, parameters,
             {.batch = net.n + 1, .mode = Mode::train, .fuse = fuse, .input_gradients = true}),
        n(net.n),
        type(dtype) {
    const View x = plan.input(0, n);
    write_to(plan.queue(), x, mixed(x.count(), 0));
  }

  View on_device(const Shape& shape, const Doubles& values) {
    buffers.emplace_back(parameters->queue(), static_cast<std::size_t>(shape.count()) * 8);
    const View view{buffers.back().data(), type, shape};
    write_to(plan.queue(), view, values);
    return view;
  }

  View labels(const Shape& shape, std::int64_t classes) {
    std::vector<std::int32_t> values;
    for (const double u : mixed(shape.count(), kLabels))
      values.push_back(static_cast<std::int32_t>(u * static_cast<double>(classes)));
    buffers.emplace_back(parameters->queue(), values.size() * 4);
    buffers.back().upload(values.data(), buffers.back().bytes());
    wait(plan.queue());  // for the values, which end here
    return {buffers.back().data(), DType::i32, shape};
  }

  // factor * loss of an operation, which is submitted.
  template <class Loss>
  double run(Loss loss) {
    loss.loss = on_device({1}, {0});
    submit(plan.queue(), loss);
    return loss.factor * read_from(plan.queue(), loss.loss)[0];
  }

  double step(std::uint32_t number) {
    plan.set_random({kSeed, number});
    plan.forward(n);
    buffers.clear();
    const double loss = network.loss(*this);
    plan.backward(n);
    return loss;
  }

  Doubles values(const ConstView& view) const { return kept(read_from(plan.queue(), view)); }

  void check(const Doubles& got, const std::string& key, double tolerance) const {
    INFO(key);
    CHECK(relative(got, read(golden().find(network.name + "/" + key))) < tolerance);
  }

  std::string output_name(std::size_t i) const {
    return network.graph.nodes()[static_cast<std::size_t>(network.graph.outputs()[i])].name;
  }
};

double squared(Case& c) {
  const ConstView y = c.plan.output(0, c.n);
  return c.run(ElementLoss{.prediction = y,
                           .target = c.on_device(y.shape, mixed(y.count(), kTarget)),
                           .loss = {},
                           .dprediction = c.plan.output_gradient(0, c.n)});
}

double masked(Case& c) {
  const ConstView y = c.plan.output(0, c.n);
  Shape pixels = y.shape;
  pixels[pixels.rank() - 1] = 1;
  Doubles mask = mixed(pixels.count(), kMask);
  for (double& m : mask) m = m > 0.3 ? 1 : 0;
  return c.run(ElementLoss{.prediction = y,
                           .target = c.on_device(y.shape, mixed(y.count(), kTarget)),
                           .weights = c.on_device(pixels, mask),
                           .loss = {},
                           .dprediction = c.plan.output_gradient(0, c.n)});
}

double squared_and_divergence(Case& c) {
  return squared(c) + c.run(GaussianKl{.mean = c.plan.output(1, c.n),
                                       .log_variance = c.plan.output(2, c.n),
                                       .loss = {},
                                       .dmean = c.plan.output_gradient(1, c.n),
                                       .dlog_variance = c.plan.output_gradient(2, c.n),
                                       .factor = 0.1});
}

SoftmaxCrossEntropy cross_entropy(Case& c) {
  const ConstView logits = c.plan.output(0, c.n);
  Shape pixels;
  for (int d = 0; d + 1 < logits.shape.rank(); ++d) pixels.push_back(logits.shape[d]);
  return {.logits = logits,
          .labels = c.labels(pixels, logits.shape.back()),
          .loss = {},
          .dlogits = c.plan.output_gradient(0, c.n)};
}

double smoothed_cross_entropy(Case& c) {
  SoftmaxCrossEntropy loss = cross_entropy(c);
  loss.label_smoothing = 0.1;
  return c.run(loss);
}

double weighted_cross_entropy(Case& c) {
  SoftmaxCrossEntropy loss = cross_entropy(c);
  loss.class_weights = c.on_device({2}, {1, 3});
  return c.run(loss);
}

double dice_and_cross_entropy(Case& c) {
  const SoftmaxCrossEntropy per_pixel = cross_entropy(c);
  return c.run(per_pixel) + c.run(DiceLoss{.probabilities = c.plan.output(1, c.n),
                                           .labels = per_pixel.labels,
                                           .loss = {},
                                           .dprobabilities = c.plan.output_gradient(1, c.n)});
}

std::vector<Network> networks() {
  const AutoencoderOptions narrow{.size = {16, 16}, .widths = {4, 5, 6}, .code = 5};
  return {
      {"denoising",
       denoising_autoencoder_graph({.size = {16, 16}, .channels = 2, .widths = {4, 6, 8}}), 3,
       masked},
      {"convolutional", convolutional_autoencoder_graph(narrow), 3, squared},
      {"variational", variational_autoencoder_graph(narrow), 3, squared_and_divergence},
      {"series", series_network_graph(3, {.size = 20, .widths = {4, 5, 6}}).up_to({"logits"}), 3,
       smoothed_cross_entropy},
      {"conv5_fc3",
       conv5_fc3_graph(
           {.size = {32, 32, 72}, .widths = {2, 3, 4, 5, 6}, .dense = {7, 5}, .dropout = 0})
           .up_to({"logits"}),
       2, weighted_cross_entropy},
      {"unet",
       unet_graph(3, {.size = {16, 16}, .widths = {3, 4, 5, 6}}).up_to({"logits", "probability"}),
       2, dice_and_cross_entropy},
      {"unet_3d",
       unet_graph(2, {.size = {8, 8, 12}, .channels = 1, .widths = {2, 3, 4}})
           .up_to({"logits", "probability"}),
       2, dice_and_cross_entropy}};
}

void check_inference(const Network& network, DType dtype, bool fuse) {
  const Case c(network, dtype, fuse);
  Plan infer(network.graph, c.parameters, {.batch = c.n, .fuse = fuse});
  write_to(infer.queue(), infer.input(0, c.n), mixed(infer.input(0, c.n).count(), 0));
  infer.forward(c.n);
  for (std::size_t i = 0; i < network.graph.outputs().size(); ++i)
    c.check(c.values(infer.output(i, c.n)), "infer/" + c.output_name(i),
            tolerance_of(dtype, kInDouble).outputs);
}

void check_one_step(const Network& network, DType dtype, bool fuse) {
  Case c(network, dtype, fuse);
  const Tolerance tolerance = tolerance_of(dtype, kInDouble);
  const double loss = c.step(0);
  const double expected = read(golden().find(network.name + "/losses"))[0];
  CHECK(std::abs(loss - expected) < tolerance.outputs * expected);
  for (std::size_t i = 0; i < network.graph.outputs().size(); ++i)
    c.check(c.values(c.plan.output(i, c.n)), "output/" + c.output_name(i), tolerance.outputs);
  c.check(c.values(c.plan.input_gradient(0, c.n)), "input_gradient", tolerance.gradients);
  for (const auto& place : c.parameters->places())
    place.statistic
        ? c.check(c.values(c.parameters->view(place)), "statistic/" + place.name, tolerance.outputs)
        : c.check(c.values(c.plan.gradient(place.name)), "gradient/" + place.name,
                  tolerance.gradients);
}

void check_ten_steps(const Network& network, DType dtype) {
  Case c(network, dtype, true);
  Optimiser optimiser(c.parameters, {.kind = OptimiserKind::adamw, .weight_decay = 0.05});
  Doubles losses;
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    losses.push_back(c.step(step));
    optimiser.step(c.plan.gradients(), 2e-3);
  }
  const double tolerance = tolerance_of(dtype, kInDouble).gradients;
  c.check(losses, "losses", tolerance);
  for (const auto& place : c.parameters->places())
    c.check(c.values(c.parameters->view(place)), "after_ten/" + place.name, tolerance);
}

void check_all(void (*check)(const Network&, DType, bool)) {
  for (const Network& network : networks())
    for_types_and_fusion([&](DType dtype, bool fuse) {
      INFO(network.name);
      check(network, dtype, fuse);
    });
}

}  // namespace

TEST_CASE("the systems' networks give PyTorch's outputs in inference") {
  check_all(check_inference);
}

TEST_CASE("the systems' networks give PyTorch's outputs, gradients and statistics in training") {
  // Its samples are drawn by the place of the node.
  CHECK(networks()[2].graph.find("code") == 13);
  check_all(check_one_step);
}

TEST_CASE("ten steps of AdamW on the systems' networks end at PyTorch's weights") {
  for (const Network& network : networks())
    for (const DType dtype : {DType::f64, DType::f32}) {
      INFO(network.name << " " << name_of(dtype));
      check_ten_steps(network, dtype);
    }
}

TEST_CASE("small networks give PyTorch's numbers on any device", "[device]") {
  if (on_cpu()) {
    WARN("skipped: the cases above have shown it of the CPU");
    return;
  }
  const bool emulated = test_device().kind == DeviceKind::cuda_emulated;
  for (const Network& network : networks()) {
    if (emulated && network.name == "conv5_fc3") continue;  // too large for it
    for (const DType dtype : {DType::f64, DType::f32}) {
      INFO(network.name << " " << name_of(dtype));
      check_inference(network, dtype, true);
      check_one_step(network, dtype, true);
    }
  }
}
