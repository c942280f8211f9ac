// RatNet against PyTorch (scripts/make_golden.py).
#include "golden.h"
#include "../../apps/dark_slices/ratnet.h"
#include "../../kernels/cross_entropy.h"
#include "../../kernels/submit.h"
#include "../../train/optimiser.h"
#include "../catch.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

const SafetensorsFile& golden() {
  static const SafetensorsFile file = golden_file("ratnet");
  return file;
}

// RatNet up to its logits with the golden images, loss and class weights.
struct Case {
  Graph graph;
  std::shared_ptr<Parameters> parameters;
  Plan plan;
  std::int64_t n;
  DType type;
  Buffer labels, class_weights, loss;

  Case(std::int64_t size, std::int64_t count, DType dtype, bool fuse)
      : graph(ratnet_graph(size).up_to({"logits"})),
        parameters(std::make_shared<Parameters>(test_queue(1), golden_weights(graph, dtype))),
        plan(graph, parameters, {.batch = count + 1, .mode = Mode::train, .fuse = fuse}),
        n(count),
        type(dtype),
        labels(parameters->queue(), static_cast<std::size_t>(count) * 4),
        class_weights(parameters->queue(), 2 * size_of(dtype)),
        loss(parameters->queue(), size_of(dtype)) {
    const std::int32_t all[] = {0, 1, 1, 0};
    labels.upload(all, labels.bytes());
    write_to(plan.queue(), {class_weights.data(), type, {2}}, {1, 3});
  }

  View loss_view() const { return {loss.data(), type, {1}}; }

  void forward_and_backward() {
    const View images = plan.input(0, n);
    write_to(plan.queue(), images, mixed(images.count(), 0));
    plan.forward(n);
    submit(plan.queue(), SoftmaxCrossEntropy{.logits = plan.output(0, n),
                                             .labels = {labels.data(), DType::i32, {n}},
                                             .class_weights = {class_weights.data(), type, {2}},
                                             .loss = loss_view(),
                                             .dlogits = plan.output_gradient(0, n)});
    plan.backward(n);
  }

  Doubles probability() const {
    Plan softmax(ratnet_graph(plan.input(0, 1).shape[1]), parameters, {.batch = n});
    write_to(softmax.queue(), softmax.input(0, n), mixed(softmax.input(0, n).count(), 0));
    softmax.forward(n);
    return read_from(softmax.queue(), softmax.output(0, n));
  }
};

void check_outputs(const Case& c, const std::string& prefix, double tolerance) {
  CHECK(relative(read_from(c.plan.queue(), c.plan.output(0, c.n)),
                 read(golden().find(prefix + "logits"))) < tolerance);
  CHECK(relative(c.probability(), read(golden().find(prefix + "probability"))) < tolerance);
  CHECK(relative(read_from(c.plan.queue(), c.loss_view()), read(golden().find(prefix + "loss"))) <
        tolerance);
}

}  // namespace

TEST_CASE("RatNet on small images gives PyTorch's outputs and gradients", "[device]") {
  for_types_and_fusion([](DType dtype, bool fuse) {
    const std::string prefix = "small/" + std::string(name_of(dtype)) + "/";
    Case c(16, 4, dtype, fuse);
    c.forward_and_backward();
    check_outputs(c, prefix, tolerance_of(dtype).outputs);
    for (const auto& place : c.parameters->places()) {
      INFO(place.name);
      const Doubles gradient = read_from(c.plan.queue(), c.plan.gradient(place.name));
      const Doubles expected = read(golden().find(prefix + "gradient/" + place.name));
      CHECK(relative(dtype == DType::f64 ? gradient : every_seventh(gradient), expected) <
            tolerance_of(dtype).gradients);
    }
  });
}

TEST_CASE("RatNet on 64x64 images gives PyTorch's outputs and gradients", "[device]") {
  for_types_and_fusion([](DType dtype, bool fuse) {
    const std::string prefix = "full/" + std::string(name_of(dtype)) + "/";
    Case c(64, 2, dtype, fuse);
    c.forward_and_backward();
    check_outputs(c, prefix, tolerance_of(dtype).outputs);
    std::uint32_t stream = 100;
    for (const auto& place : c.parameters->places()) {
      INFO(place.name);
      const Doubles gradient = read_from(c.plan.queue(), c.plan.gradient(place.name));
      double sum = 0;
      for (const double value : gradient) sum += value;
      const double norm = std::sqrt(dot(gradient, gradient));
      Doubles picks;
      for (const double place_of : mixed(64, stream++))
        picks.push_back(
            gradient[static_cast<std::size_t>(place_of * static_cast<double>(gradient.size()))]);
      const Doubles expected = read(golden().find(prefix + "norm_and_sum/" + place.name));
      const double tolerance = tolerance_of(dtype).gradients;
      CHECK(std::abs(norm - expected[0]) < tolerance * expected[0]);
      // A sum may cancel: what it may be off by goes with the norm.
      CHECK(std::abs(sum - expected[1]) < tolerance * expected[0]);
      CHECK(relative(picks, read(golden().find(prefix + "gradient/" + place.name))) < tolerance);
    }
  });
}

TEST_CASE("ten steps of each optimiser end at PyTorch's weights", "[device]") {
  struct Setting {
    const char* name;
    OptimiserOptions options;
    double rate;
  };
  const Setting settings[] = {
      {"adam", {}, 1e-3},
      {"adamw", {.kind = OptimiserKind::adamw, .weight_decay = 0.05}, 1e-3},
      {"sgd", {.kind = OptimiserKind::sgd, .momentum = 0.9, .clip_norm = 0.5}, 1e-2}};
  for_types_and_fusion([&](DType dtype, bool fuse) {
    for (const Setting& setting : settings) {
      Case c(16, 4, dtype, fuse);
      OptimiserOptions options = setting.options;
      // Above the rounding of a gradient that is 0, which Adam would follow at the full rate.
      if (dtype == DType::f32) options.epsilon = 1e-4;
      Optimiser optimiser(c.parameters, options);
      for (int step = 0; step < 10; ++step) {
        c.forward_and_backward();
        optimiser.step(c.plan.gradients(), setting.rate);
      }
      for (const auto& place : c.parameters->places()) {
        INFO(setting.name << " " << place.name);
        const Doubles weights = read_from(c.plan.queue(), c.parameters->view(place));
        const bool all = dtype == DType::f64 && setting.options.kind == OptimiserKind::adam;
        CHECK(relative(all ? weights : every_seventh(weights),
                       read(golden().find("small/" + std::string(name_of(dtype)) + "/" +
                                          setting.name + "/" + place.name))) <
              tolerance_of(dtype).gradients);
      }
    }
  });
}
