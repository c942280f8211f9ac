// What layers that keep the shape do beyond the generic tests.
#include "../../layers/catalogue.h"
#include "../../network/plan.h"
#include "../catch.h"
#include "../kernels/random_tensor.h"
#include "../kernels/test_device.h"
#include "../network/refused.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using Doubles = std::vector<double>;

Graph graph_of(const Layer& layer, const Shape& sample, int inputs) {
  GraphBuilder builder;
  std::vector<int> handles;
  for (int i = 0; i < inputs; ++i)
    handles.push_back(
        builder.input("x" + std::to_string(i), {sample.sizes().begin(), sample.sizes().end()}));
  const int node = builder.add("layer", layer, handles);
  return builder.build({node});
}

// What a layer makes of its inputs, n samples each.
Doubles output(const Layer& layer, const Shape& sample, std::int64_t n,
               const std::vector<Doubles>& inputs, Mode mode, RandomKey key = {}) {
  Weights weights;
  weights.add("unused", Tensor({1}, DType::f32));  // parameters need something to hold
  const QueueHandle queue = test_queue(1);
  Plan plan(graph_of(layer, sample, static_cast<int>(inputs.size())),
            std::make_shared<Parameters>(queue, weights), {.batch = n, .mode = mode});
  if (mode == Mode::train) plan.set_random(key);
  for (std::size_t i = 0; i < inputs.size(); ++i) write_to(*queue, plan.input(i, n), inputs[i]);
  plan.forward(n);
  return read_from(*queue, plan.output(0, n));
}

}  // namespace

TEST_CASE("spatial dropout drops whole channels in training and nothing else", "[device]") {
  const Layer layer = layers::SpatialDropout{.probability = 0.5};
  const std::size_t samples = 7, positions = 6, channels = 5;
  const Doubles ones(samples * positions * channels, 1.0);
  CHECK(output(layer, {2, 3, 5}, 7, {ones}, Mode::infer) == ones);
  const Doubles y = output(layer, {2, 3, 5}, 7, {ones}, Mode::train);
  std::size_t dropped = 0;
  for (std::size_t n = 0; n < samples; ++n)
    for (std::size_t c = 0; c < channels; ++c) {
      const double first = y[n * positions * channels + c];
      CHECK((first == 0 || first == 2));
      dropped += first == 0;
      for (std::size_t p = 0; p < positions; ++p)
        CHECK(y[(n * positions + p) * channels + c] == first);
    }
  CHECK((dropped > 0 && dropped < samples * channels));
  CHECK(output(layer, {2, 3, 5}, 7, {ones}, Mode::train, {.seed = 0, .step = 1}) != y);
}

TEST_CASE("a Gaussian sample is the mean outside training", "[device]") {
  Random random(3);
  const Doubles mean = doubles(random_tensor({3, 8}, DType::f32, random));
  const Doubles none(24, -1e30), some(24, 0.0);
  const Layer layer = layers::GaussianSample{};
  CHECK(output(layer, {8}, 3, {mean, some}, Mode::infer) == mean);
  CHECK(output(layer, {8}, 3, {mean, none}, Mode::train) == mean);
  const Doubles first = output(layer, {8}, 3, {mean, some}, Mode::train);
  for (std::size_t i = 0; i < mean.size(); ++i) CHECK(first[i] != mean[i]);
  CHECK(output(layer, {8}, 3, {mean, some}, Mode::train) == first);
  CHECK(output(layer, {8}, 3, {mean, some}, Mode::train, {.seed = 0, .step = 1}) != first);
}

TEST_CASE("layers refuse hyper-parameters and shapes that mean nothing", "[device]") {
  const auto why = [](const Layer& layer, const std::string& part, int inputs = 1,
                      const Shape& sample = {4, 3}) {
    return refused(ErrorKind::usage, part, [&] { (void)graph_of(layer, sample, inputs); });
  };
  using namespace layers;
  CHECK(why(Elu{.alpha = -1}, "alpha") == "");
  CHECK(why(Elu{.alpha = std::nan("")}, "alpha") == "");
  CHECK(why(SpatialDropout{.probability = 1}, "spatial_dropout: probability") == "");
  CHECK(why(SpatialDropout{.probability = -0.1}, "probability") == "");
  CHECK(why(Conv{.out = 2, .kernel = {1}, .activation = Activation::sigmoid}, "sigmoid") == "");
  CHECK(why(Add{.activation = Activation::elu}, "elu", 2) == "");
  CHECK(why(Dense{.out = 2, .activation = Activation::tanh}, "tanh", 1, {3}) == "");
  for (const Layer& layer : {Layer(Multiply{}), Layer(GaussianSample{})}) {
    GraphBuilder builder;
    const int x = builder.input("x", {3}), y = builder.input("y", {4});
    const int pair = builder.add("pair", layer, {x, y});
    CHECK(refused(ErrorKind::usage, "[1, 4]", [&] { (void)builder.build({pair}); }) == "");
  }
}

TEST_CASE("a file may name an activation that its layer cannot end with, and is refused later") {
  const Layer layer = layer_from_json(R"({"kind": "dense", "out": 2, "activation": "softplus"})");
  CHECK(to_json(layer).find("softplus") != std::string::npos);
  CHECK(refused(ErrorKind::usage, "softplus", [&] { (void)graph_of(layer, {3}, 1); }) == "");
}
