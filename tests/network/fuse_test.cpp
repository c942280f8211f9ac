#include "../../network/fuse.h"

#include "../../apps/dark_slices/ratnet.h"
#include "../catch.h"
#include "plan_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

using layers::AvgPool;
using layers::Conv;
using layers::Dense;
using layers::Flatten;
using layers::LeakyRelu;
using layers::MaxPool;
using layers::Relu;

// input -> the layers in a row, called l0, l1, ...
Graph chain(const std::vector<std::int64_t>& input, const std::vector<Layer>& layers) {
  GraphBuilder builder;
  int last = builder.input("x", input);
  for (std::size_t i = 0; i < layers.size(); ++i)
    last = builder.add("l" + std::to_string(i), layers[i], {last});
  return builder.build({last});
}

std::size_t fused_nodes(const Graph& graph) { return fuse(graph, false).graph.nodes().size(); }

void check_same(const Graph& graph, DType dtype, double tolerance) {
  const QueueHandle queue = test_queue(2);
  const auto parameters = std::make_shared<Parameters>(queue, random_weights(graph, dtype, 3));
  for (const Mode mode : {Mode::infer, Mode::train}) {
    PlanOptions options{.batch = 4, .mode = mode, .input_gradients = mode == Mode::train};
    Plan fused(graph, parameters, options);
    options.fuse = false;
    Plan plain(graph, parameters, options);
    REQUIRE(plain.graph().nodes().size() == graph.nodes().size());
    if (mode == Mode::infer) {
      for (Plan* plan : {&fused, &plain}) {
        write_to(plan->queue(), plan->input(0, 3), random_doubles(plan->input(0, 3).count(), 8));
        plan->forward(3);
      }
      for (std::size_t i = 0; i < graph.outputs().size(); ++i)
        CHECK(relative(read_from(fused.queue(), fused.output(i, 3)),
                       read_from(plain.queue(), plain.output(i, 3))) <= tolerance);
      continue;
    }
    const RandomKey key{7, 2};
    const Results a = run_once(fused, *parameters, 3, 8, key);
    const Results b = run_once(plain, *parameters, 3, 8, key);
    for (std::size_t i = 0; i < a.outputs.size(); ++i)
      CHECK(relative(a.outputs[i], b.outputs[i]) <= tolerance);
    CHECK(relative(a.input_gradients[0], b.input_gradients[0]) <= tolerance);
    for (const auto& [name, gradient] : a.gradients) {
      INFO(name);
      CHECK(relative(gradient, b.gradients.at(name)) <= tolerance);
      CHECK(dot(gradient, gradient) > 0);
    }
  }
}

void check_same(const Graph& graph) {
  check_same(graph, DType::f64, 1e-13);
  check_same(graph, DType::f32, 2e-5);
}

}  // namespace

TEST_CASE("fusing RatNet leaves its six computing layers", "[device]") {
  const FusedGraph fused = fuse(ratnet_graph(), false);
  std::vector<std::string> names;
  for (const Node& node : fused.graph.nodes()) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"image", "pool1", "pool2", "pool3", "flatten",
                                          "dense_relu", "logits", "probability"});
  std::vector<std::string> weights;
  for (const Node& node : fused.graph.nodes()) weights.push_back(node.weights_name());
  CHECK(weights == std::vector<std::string>{"image", "conv1", "conv2", "conv3", "flatten", "dense",
                                            "logits", "probability"});
  CHECK(fuse(fused.graph, false).graph.to_json() == fused.graph.to_json());
}

TEST_CASE("fused RatNet computes what RatNet computes", "[device]") {
  check_same(ratnet_graph(16));
}

TEST_CASE("leaky ReLU is fused with its slope", "[device]") {
  const Graph graph = chain(
      {9, 7, 2}, {Conv{.out = 5, .kernel = {3, 3}}, LeakyRelu{.slope = 0.3},
                  MaxPool{.kernel = {2, 2}}, Flatten{}, Dense{.out = 4}, LeakyRelu{.slope = 0.05}});
  CHECK(fused_nodes(graph) == 4);
  check_same(graph);
}

TEST_CASE("a pooling straight after a convolution is fused, an activation after it is not",
          "[device]") {
  const Graph graph =
      chain({6, 6, 2}, {Conv{.out = 3, .kernel = {3, 3}}, MaxPool{.kernel = {2}}, Relu{}});
  CHECK(fused_nodes(graph) == 3);
  check_same(graph);
}

TEST_CASE("fusion knows one and three dimensions", "[device]") {
  const Graph line = chain(
      {11, 2}, {Conv{.out = 4, .kernel = {3}, .stride = {2}}, Relu{}, MaxPool{.kernel = {3}}});
  CHECK(fused_nodes(line) == 2);
  check_same(line);
  const Graph volume =
      chain({5, 6, 4, 2}, {Conv{.out = 3, .kernel = {3, 3, 3}, .padding = Padding::same}, Relu{},
                           MaxPool{.kernel = {1, 2, 2}}, Conv{.out = 2, .kernel = {2, 1, 1}},
                           LeakyRelu{}, MaxPool{.kernel = {2}}});
  CHECK(fused_nodes(volume) == 3);
  check_same(volume);
}

TEST_CASE("poolings that overlap, leave gaps, pad or average stay layers of their own",
          "[device]") {
  for (const Layer& pool :
       {Layer(MaxPool{.kernel = {3, 3}, .stride = {2, 2}}),
        Layer(MaxPool{.kernel = {2, 2}, .stride = {3, 3}}),
        Layer(MaxPool{.kernel = {2, 2}, .padding = Padding::same}),
        Layer(AvgPool{.kernel = {2, 2}}),
        Layer(MaxPool{.kernel = {2, 2}, .padding = Padding::custom, .pad_before = {1}})}) {
    INFO(to_json(pool));
    const Graph graph = chain({7, 8, 2}, {Conv{.out = 3, .kernel = {3, 3}}, Relu{}, pool});
    CHECK(fused_nodes(graph) == 3);  // the input, the convolution with its ReLU, the pooling
    check_same(graph);
  }
}

TEST_CASE("what somebody else reads is not fused away", "[device]") {
  const auto build = [](bool as_output) {
    GraphBuilder builder;
    const int x = builder.input("x", {6, 6, 2});
    const int conv = builder.add("conv", Conv{.out = 2, .kernel = {3, 3}}, {x});
    const int relu = builder.add("relu", Relu{}, {conv});
    const int pool = builder.add("pool", MaxPool{.kernel = {2, 2}}, {relu});
    if (as_output) return builder.build({pool, conv});
    const int sum = builder.add("sum", layers::Add{}, {relu, conv});
    return builder.build({pool, sum});
  };
  for (const bool as_output : {false, true}) {
    const Graph graph = build(as_output);
    CHECK(fused_nodes(graph) == graph.nodes().size());
    check_same(graph);
  }
}

TEST_CASE("dropout draws the same numbers in a fused plan", "[device]") {
  const Graph graph =
      chain({6, 6, 1}, {Conv{.out = 3, .kernel = {3, 3}}, Relu{}, MaxPool{.kernel = {2, 2}},
                        layers::Dropout{.probability = 0.5}, Flatten{}, Dense{.out = 5}});
  check_same(graph);
}

TEST_CASE("the activation after a sum is fused into it", "[device]") {
  for (const Layer& activation : {Layer(Relu{}), Layer(LeakyRelu{.slope = 0.2})}) {
    GraphBuilder builder;
    const int input = builder.input("image", {6, 6, 2});
    const int conv = builder.add("conv", Conv{.out = 2, .kernel = {3, 3}}, {input});
    const int sum = builder.add("sum", layers::Add{}, {input, conv});
    const int active = builder.add("active", activation, {sum});
    const Graph graph = builder.build(
        {builder.add("out", Dense{.out = 3}, {builder.add("flat", Flatten{}, {active})})});
    CHECK(fused_nodes(graph) == 4);  // the sum is in the convolution too
    CHECK(fuse(graph, true).graph.nodes().size() == 5);
    check_same(graph);
  }
}

TEST_CASE("a sum goes into the convolution that computes its last term", "[device]") {
  using layers::BatchNorm;
  GraphBuilder builder;
  const auto add = [&](const char* name, const Layer& layer, const std::vector<int>& inputs) {
    return builder.add(name, layer, inputs);
  };
  const Conv three{.out = 8, .kernel = {3, 3}};
  const int image = builder.input("image", {9, 8, 8});
  // A residual block whose way past is a convolution of its own, and one whose way past is nothing.
  const int one = add("one", Relu{}, {add("norm1", BatchNorm{}, {add("conv1", three, {image})})});
  const int past = add("past", Conv{.out = 8, .kernel = {1, 1}}, {image});
  const int two = add("norm2", BatchNorm{}, {add("conv2", three, {one})});
  const int first = add("first", Relu{}, {add("sum1", layers::Add{}, {two, past})});
  const int conv3 =
      add("conv3", three, {add("zeros", layers::Pad{.before = {1}, .after = {0}}, {first})});
  const int cut = add("cut", Conv{.out = 8, .kernel = {2, 2}, .padding = Padding::valid}, {conv3});
  const int second = add("sum2", layers::Add{}, {first, cut});
  // What follows a sum that is no activation stays behind it.
  const int norm = add("norm3", BatchNorm{}, {second});
  const int conv4 = add("conv4", three, {norm});
  const int third = add("sum3", layers::Add{.activation = Activation::leaky_relu}, {conv4, norm});
  const int pool = add("pool", MaxPool{.kernel = {2, 2}}, {third});
  const Graph graph =
      builder.build({add("out", Dense{.out = 3}, {add("flat", Flatten{}, {pool})})});
  const Graph fused = fuse(graph, false).graph;
  for (const char* name : {"first", "sum2", "sum3"}) {
    const Node& node = fused.nodes()[static_cast<std::size_t>(fused.find(name))];
    INFO(name);
    CHECK(std::holds_alternative<Conv>(node.layer));
    CHECK(node.inputs.size() == 2);
  }
  // Where convolutions add nothing inside, sums stay.
  CHECK(fuse(graph, false, {}, false).graph.nodes().size() == fused.nodes().size() + 3);
  CHECK_NOTHROW(fused.find("norm3"));
  CHECK_NOTHROW(fused.find("pool"));
  check_same(graph, DType::f64, 1e-12);
  check_same(graph, DType::f32, 5e-5);
}

TEST_CASE("a sum stays a layer where no convolution ends in it alone", "[device]") {
  GraphBuilder builder;
  const int image = builder.input("image", {6, 7, 3});
  const Conv conv{.out = 3, .kernel = {3, 3}};
  const int a = builder.add("a", conv, {image});
  const int twice = builder.add("twice", layers::Add{}, {a, a});
  const int active = builder.add(
      "active", Conv{.out = 3, .kernel = {3, 3}, .activation = Activation::relu}, {twice});
  const int after = builder.add("after", layers::Add{}, {twice, active});
  const int b = builder.add("b", conv, {after});
  const int read = builder.add("read", layers::Add{}, {b, image});
  const int pooled = builder.add(
      "pooled", AvgPool{.kernel = {3, 3}, .stride = {1}, .padding = Padding::same}, {read});
  const int late = builder.add("late", layers::Add{}, {builder.add("c", conv, {pooled}), b});
  const int early = builder.add("d", conv, {late});
  const int last =
      builder.add("last", layers::Add{}, {early, builder.add("e", layers::Sigmoid{}, {late})});
  const Graph graph = builder.build({last});
  CHECK(fuse(graph, false, {"c"}).graph.nodes().size() == graph.nodes().size());
  CHECK(fused_nodes(graph) == graph.nodes().size() - 1);  // "c", where nobody watches it
  check_same(graph);
}

TEST_CASE("a batch normalisation goes into the layer before it, and its ReLU too", "[device]") {
  using layers::BatchNorm;
  const Graph graph =
      chain({9, 8, 2}, {Conv{.out = 5, .kernel = {3, 3}, .bias = false}, BatchNorm{.epsilon = 1e-3},
                        Relu{}, MaxPool{.kernel = {2, 2}}, Conv{.out = 3, .kernel = {3, 3}},
                        BatchNorm{}, Flatten{}, Dense{.out = 4}, BatchNorm{}, LeakyRelu{0.2}});
  const FusedGraph fused = fuse(graph, false);
  CHECK(fused.graph.nodes().size() == 5);  // the input, two convolutions, flatten, dense
  CHECK(fused.norms.size() == 3);
  CHECK(fused.norms.at("l3").layer == "l0");
  CHECK(fused.norms.at("l3").norm == "l1");
  CHECK_FALSE(fused.norms.at("l3").had_bias);
  CHECK(fused.norms.at("l5").had_bias);
  // In training it stays, and takes in the ReLU.
  CHECK(fuse(graph, true).norms.empty());
  CHECK(fuse(graph, true).graph.nodes().size() == 9);
  check_same(graph, DType::f64, 1e-12);
  check_same(graph, DType::f32, 5e-5);
}

TEST_CASE("a batch normalisation goes into a transposed convolution", "[device]") {
  for (const bool bias : {false, true}) {
    const Graph graph = chain(
        {3, 4, 2}, {layers::ConvTranspose{.out = 3, .kernel = {3, 2}, .bias = bias},
                    layers::BatchNorm{.epsilon = 1e-3}, Relu{}, Conv{.out = 2, .kernel = {3, 3}}});
    CHECK(fused_nodes(graph) == 3);
    check_same(graph, DType::f64, 1e-12);
    check_same(graph, DType::f32, 5e-5);
  }
}

TEST_CASE("zeros around an image go into the convolution that reads it", "[device]") {
  using layers::Pad;
  const Conv plain{.out = 3, .kernel = {3, 3}, .stride = {2}, .padding = Padding::valid};
  Conv custom = plain;
  custom.padding = Padding::custom;
  custom.pad_before = {1, 0};
  custom.pad_after = {2};
  for (const Conv& conv : {plain, custom})
    for (const Pad& pad : {Pad{.before = {2}, .after = {1, 3}}, Pad{.after = {1}}, Pad{}}) {
      INFO(to_json(conv) << to_json(pad));
      const Graph graph = chain({7, 8, 2}, {pad, conv, Relu{}, MaxPool{.kernel = {2, 2}}});
      const Graph fused = fuse(graph, true).graph;
      REQUIRE(fused.nodes().size() == 2);
      CHECK(fused.nodes()[1].name == "l3");
      CHECK(fused.nodes()[1].weights_name() == "l1");
      check_same(graph);
    }
  // With a normalisation behind it, and in three dimensions.
  const Graph volume =
      chain({4, 3, 5, 2}, {Pad{.before = {1}, .after = {0, 1, 2}},
                           Conv{.out = 3, .kernel = {3}, .padding = Padding::valid},
                           layers::BatchNorm{}, Relu{}});
  CHECK(fused_nodes(volume) == 2);
  check_same(volume, DType::f64, 1e-12);
}

TEST_CASE("padding stays a layer where it is no zeros or somebody else reads it", "[device]") {
  using layers::Pad;
  const Conv conv{.out = 2, .kernel = {3, 3}, .padding = Padding::valid};
  for (const PadMode mode : {PadMode::reflect, PadMode::edge}) {
    const Graph graph = chain({6, 5, 1}, {Pad{.before = {1}, .mode = mode}, conv});
    CHECK(fused_nodes(graph) == 3);
    check_same(graph);
  }
  // What `same` adds depends on the padded size.
  const Graph same = chain({6, 5, 1}, {Pad{.before = {1}}, Conv{.out = 2, .kernel = {3, 3}}});
  CHECK(fused_nodes(same) == 3);
  const Graph watched = chain({6, 5, 1}, {Pad{.before = {1}}, conv});
  CHECK(fuse(watched, false, {"l0"}).graph.nodes().size() == 3);
  CHECK(fuse(watched, false, {"l1"}).graph.nodes().size() == 2);
  GraphBuilder builder;
  const int padded = builder.add("pad", Pad{.before = {1}}, {builder.input("x", {6, 5, 1})});
  const int one = builder.add("one", conv, {padded}), two = builder.add("two", conv, {padded});
  const Graph twice = builder.build({builder.add("sum", layers::Add{}, {one, two})});
  CHECK(fused_nodes(twice) == 4);  // the sum is in one of them
}

TEST_CASE("the activation after a transposed convolution is fused into it", "[device]") {
  for (const Layer& activation : {Layer(Relu{}), Layer(LeakyRelu{.slope = 0.2})}) {
    const Graph graph =
        chain({3, 4, 2}, {layers::ConvTranspose{.out = 3, .kernel = {3, 2}}, activation});
    CHECK(fused_nodes(graph) == 2);
    check_same(graph);
  }
}

TEST_CASE("folded weights follow the parameters", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  const Graph graph = chain({5, 5, 1}, {Conv{.out = 3, .kernel = {3, 3}}, layers::BatchNorm{}});
  const auto parameters = std::make_shared<Parameters>(queue, random_weights(graph, DType::f64, 3));
  Plan plan(graph, parameters, {});
  const auto output = [&](Plan& p) {
    write_to(*queue, p.input(0, 1), random_doubles(25, 4));
    p.forward(1);
    return read_from(*queue, p.output(0, 1));
  };
  const Doubles before = output(plan);
  parameters->upload(random_weights(graph, DType::f64, 4));
  const Doubles after = output(plan);
  Plan fresh(graph, parameters, {});
  CHECK(after == output(fresh));
  CHECK(relative(after, before) > 0.01);

  // A step of training moves the statistics.
  Plan training(graph, parameters, {.mode = Mode::train});
  output(training);
  CHECK(relative(output(plan), after) > 1e-3);
}

TEST_CASE("fusion leaves alone what somebody watches or reads as well", "[device]") {
  const Graph graph =
      chain({6, 6, 1}, {Conv{.out = 2, .kernel = {3, 3}}, layers::BatchNorm{}, Relu{}});
  CHECK(fuse(graph, false).graph.nodes().size() == 2);
  CHECK(fuse(graph, false, {"l0"}).graph.nodes().size() == 3);
  CHECK(fuse(graph, false, {"l0"}).norms.empty());
  CHECK(fuse(graph, false, {"l1"}).graph.nodes().size() == 3);
  CHECK(fuse(graph, false, {"l2"}).graph.nodes().size() == 2);
}
