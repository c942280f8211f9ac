#include "../../network/graph.h"

#include "../../apps/dark_slices/ratnet.h"
#include "../../network/weights.h"
#include "../catch.h"
#include "refused.h"

using namespace ratnet;
using ratnet::testing::refused;

namespace {

Graph residual() {
  GraphBuilder builder;
  const int x = builder.input("x", {8, 8, 2});
  const int a = builder.add("a", layers::Conv{.out = 2, .kernel = {3, 3}}, {x});
  const int sum = builder.add("sum", layers::Add{}, {a, x});
  const int side = builder.add("side", layers::AvgPool{.kernel = {8, 8}}, {sum});
  const int flat = builder.add("flat", layers::Flatten{}, {sum});
  const int dense = builder.add("dense", layers::Dense{.out = 3}, {flat});
  return builder.build({dense, side});
}

std::string graph_json(const std::string& nodes, const std::string& outputs = R"(["x"])") {
  return R"({"format": 1, "nodes": [)" + nodes + R"(], "outputs": )" + outputs + "}";
}
const std::string kInput = R"({"kind": "input", "name": "x", "shape": [8, 8, 1]})";

std::string refused_json(const std::string& part, const std::string& json) {
  return refused(ErrorKind::input, part, [&] { Graph::from_json(json); });
}

}  // namespace

TEST_CASE("a graph is the same after a trip through JSON") {
  for (const Graph& graph : {residual(), ratnet_graph(), ratnet_graph(16)}) {
    const std::string json = graph.to_json();
    const Graph again = Graph::from_json(json);
    CHECK(again.to_json() == json);
    REQUIRE(again.nodes().size() == graph.nodes().size());
    for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
      CHECK(again.nodes()[i].name == graph.nodes()[i].name);
      CHECK(again.nodes()[i].inputs == graph.nodes()[i].inputs);
    }
    CHECK(again.inputs() == graph.inputs());
    CHECK(again.outputs() == graph.outputs());
  }
}

TEST_CASE("RatNet is what its authors describe") {
  const Graph graph = ratnet_graph();
  const auto shapes = graph.infer(5, false);
  const auto shape = [&](const char* name) {
    return shapes[static_cast<std::size_t>(graph.find(name))].output;
  };
  CHECK(shape("conv1") == Shape{5, 64, 64, 32});
  CHECK(shape("pool3") == Shape{5, 8, 8, 32});
  CHECK(shape("flatten") == Shape{5, 2048});
  CHECK(shape("dense") == Shape{5, 128});
  CHECK(shape("probability") == Shape{5, 2});
}

TEST_CASE("up_to keeps what computes the named nodes and nothing else") {
  const Graph graph = residual();
  const Graph part = graph.up_to({"side"});
  CHECK(part.nodes().size() == 4);
  CHECK(part.nodes()[static_cast<std::size_t>(part.outputs()[0])].name == "side");
  CHECK(graph.up_to({"dense", "side"}).to_json() == graph.to_json());
  CHECK(graph.up_to({"a", "sum"}).outputs().size() == 2);
  CHECK(refused(ErrorKind::usage, "no node 'b'", [&] { graph.up_to({"b"}); }) == "");
  CHECK(refused(ErrorKind::usage, "output", [&] { graph.up_to({}); }) == "");
}

TEST_CASE("a value that is read once is told from others, and from one to keep") {
  GraphBuilder b;
  const int x = b.input("x", {4});
  const int one = b.add("one", layers::Relu{}, {x});
  const int two = b.add("two", layers::Relu{}, {one});
  const int sum = b.add("sum", layers::Add{}, {one, two});
  const Graph graph = b.build({sum});
  CHECK(graph.read_once({}) == std::vector<bool>{true, false, true, false});
  CHECK(graph.read_once({"two"}) == std::vector<bool>{true, false, false, false});
}

TEST_CASE("with_layer replaces one layer and checks that it fits") {
  const Graph graph = residual();
  const Graph wider = graph.with_layer("dense", layers::Dense{.out = 7});
  CHECK(wider.infer(1, false)[5].output == Shape{1, 7});
  CHECK(graph.infer(1, false)[5].output == Shape{1, 3});
  CHECK(refused(ErrorKind::usage, "layer 'sum'", [&] {
          graph.with_layer("a", layers::Conv{.out = 5, .kernel = {3, 3}});
        }) == "");
}

TEST_CASE("a convolution's second input has the shape of its sums") {
  const auto inferred = [](const std::vector<std::int64_t>& added, const Sizes& pool) {
    GraphBuilder b;
    const int image = b.input("image", {6, 6, 2}), second = b.input("second", added);
    const layers::Conv conv{.out = 3, .kernel = {3, 3}, .pool = pool};
    return b.build({b.add("c", conv, {image, second})}).infer(2, false).back().output;
  };
  CHECK(inferred({6, 6, 3}, {}) == Shape{2, 6, 6, 3});
  CHECK(refused(ErrorKind::usage, "layer 'c': conv: what is added", [&] {
          inferred({6, 6, 2}, {});
        }) == "");
  CHECK(refused(ErrorKind::usage, "layer 'c': conv: nothing is added before its pooling", [&] {
          inferred({3, 3, 3}, {2, 2});
        }) == "");
}

TEST_CASE("a builder refuses what is no graph") {
  GraphBuilder builder;
  const int x = builder.input("x", {4, 4, 1});
  const auto add = [&](const std::string& name, Layer layer, std::vector<int> inputs) {
    builder.add(name, layer, inputs);
  };
  CHECK(refused(ErrorKind::usage, "called 'x'", [&] { add("x", layers::Relu{}, {x}); }) == "");
  CHECK(refused(ErrorKind::usage, "name", [&] { add("", layers::Relu{}, {x}); }) == "");
  CHECK(refused(ErrorKind::usage, "name", [&] { add("\x1b[2J", layers::Relu{}, {x}); }) == "");
  CHECK(refused(ErrorKind::usage, "exist", [&] { add("r", layers::Relu{}, {1}); }) == "");
  CHECK(refused(ErrorKind::usage, "exist", [&] { add("r", layers::Relu{}, {-1}); }) == "");
  CHECK(refused(ErrorKind::usage, "takes 2", [&] { add("r", layers::Add{}, {x}); }) == "");
  CHECK(refused(ErrorKind::usage, "takes 1", [&] { add("r", layers::Relu{}, {x, x}); }) == "");
  CHECK(refused(ErrorKind::usage, "takes 1 or 2", [&] {
          add("r", layers::Conv{}, {x, x, x});
        }) == "");
  CHECK(refused(ErrorKind::usage, "output", [&] { builder.build({}); }) == "");
  CHECK(refused(ErrorKind::usage, "output", [&] { builder.build({3}); }) == "");
  CHECK(refused(ErrorKind::usage, "twice", [&] { builder.build({x, x}); }) == "");
}

TEST_CASE("JSON that is no graph is refused") {
  CHECK(refused_json("", "") == "");
  CHECK(refused_json("", "[]") == "");
  CHECK(refused_json("", "{}") == "");
  CHECK(refused_json("format 2", R"({"format": 2, "nodes": [], "outputs": []})") == "");
  CHECK(refused_json("", R"({"format": "1", "nodes": [], "outputs": []})") == "");
  CHECK(refused_json("output", graph_json(kInput, "[]")) == "");
  CHECK(refused_json("", graph_json(kInput, "3")) == "");
  CHECK(refused_json("'y'", graph_json(kInput, R"(["y"])")) == "");
  CHECK(refused_json("twice", graph_json(kInput, R"(["x", "x"])")) == "");
  CHECK(refused_json("called 'x'", graph_json(kInput + "," + kInput)) == "");
  CHECK(refused_json("warp",
                     graph_json(kInput + R"(,{"kind": "warp", "name": "w", "inputs": ["x"]})")) ==
        "");
  CHECK(refused_json("", graph_json(kInput + R"(,{"name": "w", "inputs": ["x"]})")) == "");
  CHECK(refused_json("", graph_json(kInput + R"(,{"kind": "relu", "inputs": ["x"]})")) == "");
  CHECK(refused_json("takes 1", graph_json(kInput + R"(,{"kind": "relu", "name": "r"})")) == "");
  CHECK(refused_json("", graph_json(kInput + R"(,{"kind": "relu", "name": "r", "inputs": [3]})")) ==
        "");
  CHECK(refused_json("", graph_json("3")) == "");
  CHECK(refused_json("", graph_json("null")) == "");
}

TEST_CASE("cycles and inputs that come later are refused") {
  CHECK(refused_json("'r'",
                     graph_json(kInput + R"(,{"kind": "relu", "name": "r", "inputs": ["r"]})")) ==
        "");
  CHECK(refused_json(
            "'b'", graph_json(kInput + R"(,{"kind": "relu", "name": "a", "inputs": ["b"]},)"
                                       R"({"kind": "relu", "name": "b", "inputs": ["a"]})")) == "");
}

TEST_CASE("absurd sizes are refused before anything is allocated") {
  const auto layer = [](const std::string& fields) {
    return graph_json(kInput + R"(,{"name": "l", "inputs": ["x"], )" + fields + "}");
  };
  for (const char* shape : {"[0]", "[-1, 4]", "[4611686018427387904, 8, 8]", "[1099511627777]",
                            "[9223372036854775807]", "[18446744073709551615]", "[1e30]", "[1.5]",
                            "[1,2,3,4,5,6]", "[1,2,3,4,5,6,7,8,9]", "\"x\"", "[[3]]"}) {
    INFO(shape);
    CHECK(refused_json("", graph_json(R"({"kind": "input", "name": "x", "shape": )" +
                                      std::string(shape) + "}")) == "");
  }
  for (const char* fields :
       {R"("kind": "conv", "out": 0)",
        R"("kind": "conv", "out": -3)",
        R"("kind": "conv", "out": 9223372036854775807)",
        R"("kind": "conv", "kernel": [0, 3])",
        R"("kind": "conv", "kernel": [16777216, 16777216], "padding": "custom",
            "pad_before": [16777216], "pad_after": [16777216])",
        R"("kind": "conv", "kernel": [9223372036854775807])",
        R"("kind": "conv", "stride": [0])",
        R"("kind": "conv", "stride": [-1])",
        R"("kind": "conv", "dilation": [9223372036854775807])",
        R"("kind": "conv", "padding": "custom", "pad_before": [-5])",
        R"("kind": "conv", "padding": "custom", "pad_before": [4194304], "out": 16777216)",
        R"("kind": "conv", "kernel": [9, 9], "padding": "valid")",
        R"("kind": "conv", "kernel": [1, 2, 3])",
        R"("kind": "conv", "pool": [0])",
        R"("kind": "conv", "pool": [9, 9])",
        R"("kind": "conv", "pad_before": [1])",
        R"("kind": "conv", "activation": "leaky_relu", "slope": -1)",
        R"("kind": "conv", "activation": "leaky_relu", "slope": 1e999)",
        R"("kind": "max_pool", "kernel": [16, 17])",
        R"("kind": "max_pool", "kernel": [9, 9])",
        R"("kind": "avg_pool", "stride": [0])",
        R"("kind": "dense", "out": 3)",
        R"("kind": "leaky_relu", "slope": -0.1)",
        R"("kind": "leaky_relu", "slope": null)",
        R"("kind": "dropout", "probability": 1)",
        R"("kind": "softmax", "temperature": 0)",
        R"("kind": "add")",
        R"("kind": "input", "shape": [3])"}) {
    INFO(fields);
    CHECK(refused_json("", layer(fields)) == "");
  }
}

TEST_CASE("JSON nested a million levels deep does not end the stack") {
  const std::string deep(1000000, '[');
  const std::string objects = [] {
    std::string text;
    for (int i = 0; i < 300000; ++i) text += R"({"a":)";
    return text;
  }();
  for (const std::string& core : {deep, deep + std::string(1000000, ']'), objects}) {
    CHECK(refused_json("", core) == "");
    CHECK(refused_json("", graph_json(core)) == "");
    CHECK(refused_json(
              "", graph_json(R"({"kind": "input", "name": "x", "shape": )" + core + "}")) == "");
  }
}

TEST_CASE("a graph has at most 10,000 nodes") {
  const auto chain = [](int count) {
    std::string nodes = kInput;
    std::string last = "x";
    for (int i = 1; i < count; ++i) {
      const std::string name = "r" + std::to_string(i);
      nodes += R"(,{"kind":"relu","name":")" + name + R"(","inputs":[")" + last + "\"]}";
      last = name;
    }
    return graph_json(nodes);
  };
  CHECK(Graph::from_json(chain(10000)).nodes().size() == 10000);
  CHECK(refused_json("10000", chain(10001)) == "");
}

TEST_CASE("a part of a graph begins where values are given") {
  const Graph graph = residual();
  const Graph part = graph.part({"sum"}, {"dense"});
  std::vector<std::string> names;
  for (const Node& node : part.nodes()) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"sum", "flat", "dense"});
  CHECK(part.infer(2, false)[0].output == Shape{2, 8, 8, 2});
  CHECK(part.inputs() == std::vector<int>{0});
  CHECK(refused(ErrorKind::usage, "no output depends on 'flat'", [&] {
          graph.part({"sum", "flat"}, {"side"});
        }) == "");
}

TEST_CASE("nodes that share weights name them once") {
  GraphBuilder builder;
  const int x = builder.input("x", {4, 4, 2});
  const layers::Conv conv{.out = 2, .kernel = {3, 3}};
  const int a = builder.add("a", conv, {x});
  const int b = builder.add("b", conv, {a}, "a");
  const Graph graph = builder.build({b});
  CHECK(graph.weights().size() == 2);
  CHECK(graph.weights()[0].name == "a/weight");
  CHECK(Weights::initialised(graph, 1).entries().size() == 2);
  CHECK(Graph::from_json(graph.to_json()).to_json() == graph.to_json());
  // Also where the first of them is not there.
  CHECK(graph.part({"a"}, {"b"}).weights()[0].name == "a/weight");

  GraphBuilder other;
  const int y = other.input("x", {4, 4, 2});
  const int c = other.add("c", layers::Conv{.out = 3, .kernel = {3, 3}}, {y});
  const int d = other.add("d", layers::Conv{.out = 3, .kernel = {3, 3}}, {c}, "c");
  CHECK(refused(ErrorKind::usage, "asks for weights 'c/weight' of shape [3, 3, 3, 3]",
                [&] { other.build({d}); }) == "");
}
