#include "../../network/layer_work.h"

#include "../../apps/dark_slices/ratnet.h"
#include "../../network/fuse.h"
#include "../catch.h"
#include "plan_runs.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// Of the second node, which reads the first.
LayerWork work_of(const std::vector<std::int64_t>& input, Layer layer, std::int64_t n) {
  GraphBuilder b;
  const int x = b.input("x", input);
  const Graph graph = b.build({b.add("layer", std::move(layer), {x})});
  return layer_work(graph, n).at(1);
}

}  // namespace

TEST_CASE("RatNet is 26.48 MFLOP a slice") {
  const auto flops_by_name = [](const Graph& graph, std::int64_t n) {
    const std::vector<LayerWork> works = layer_work(graph, n);
    REQUIRE(works.size() == graph.nodes().size());
    std::map<std::string, double> flops;
    for (std::size_t i = 0; i < works.size(); ++i) flops[graph.nodes()[i].name] = works[i].flops;
    return flops;
  };
  // 2 x positions x channels out x taps x channels in.
  const double conv1 = 2.0 * 64 * 64 * 32 * 9, conv2 = 2.0 * 32 * 32 * 32 * 9 * 32,
               conv3 = 2.0 * 16 * 16 * 32 * 9 * 32, dense = 2.0 * 8 * 8 * 32 * 128;
  CHECK(conv1 + conv2 + conv3 + dense + 2 * 128 * 2 == 26477056);
  const auto plain = flops_by_name(ratnet_graph(), 1);
  CHECK(plain.at("conv1") == conv1);
  CHECK(plain.at("conv2") == conv2);
  CHECK(plain.at("conv3") == conv3);
  CHECK(plain.at("dense") == dense);
  CHECK(plain.at("logits") == 512);
  for (const char* name : {"image", "relu1", "pool1", "flatten", "probability"})
    CHECK(plain.at(name) == 0);
  // Fused layers go by the name of their last part and count the same.
  const auto fused = flops_by_name(fuse(ratnet_graph(), false).graph, 7);
  CHECK(fused.at("pool1") == 7 * conv1);
  CHECK(fused.at("pool2") == 7 * conv2);
  CHECK(fused.at("pool3") == 7 * conv3);
  CHECK(fused.at("dense_relu") == 7 * dense);
}

TEST_CASE("work of single layers equals what is counted by hand") {
  // 1 x 2 x 3 positions, 5 channels out, 27 taps, 3 channels in.
  const LayerWork conv = work_of(
      {4, 6, 8, 3},
      layers::Conv{.out = 5, .kernel = {3, 3, 3}, .stride = {2}, .padding = Padding::valid}, 2);
  CHECK(conv.flops == 2 * 2 * 6 * 5 * 27 * 3);
  CHECK(conv.bytes == 4 * (2 * 4 * 6 * 8 * 3 + 2 * 6 * 5 + 27 * 3 * 5 + 5));

  // Taps in the padding count too: 1 x 1 x 5 positions of 3 taps; in 3 groups of 1 channel.
  CHECK(work_of({5, 1}, layers::Conv{.out = 2, .kernel = {3}, .bias = false}, 1).flops ==
        2 * 5 * 3 * 2);
  CHECK(work_of({5, 4, 3}, layers::Conv{.out = 6, .kernel = {3, 3}, .groups = 3}, 1).flops ==
        2 * 20 * 6 * 9);

  // Each of 3 x 4 x 2 numbers goes through 4 taps to 3 channels.
  const LayerWork transposed =
      work_of({3, 4, 2}, layers::ConvTranspose{.out = 3, .kernel = {2, 2}, .stride = {2, 2}}, 1);
  CHECK(transposed.flops == 2 * 3 * 4 * 2 * 4 * 3);
  CHECK(transposed.bytes == 4 * (3 * 4 * 2 + 6 * 8 * 3 + 4 * 3 * 2 + 3));

  const LayerWork dense = work_of({7}, layers::Dense{.out = 5, .bias = false}, 3);
  CHECK(dense.flops == 3 * 2 * 7 * 5);
  CHECK(dense.bytes == 4 * (3 * 7 + 3 * 5 + 7 * 5));

  const LayerWork pool = work_of({4, 6, 3}, layers::MaxPool{.kernel = {2, 2}}, 2);
  CHECK(pool.flops == 0);
  CHECK(pool.bytes == 4 * 2 * (4 * 6 * 3 + 2 * 3 * 3));
  CHECK(work_of({4, 6, 3}, layers::Flatten{}, 2).bytes == 0);
}

TEST_CASE("inputs that are stored as they are move nothing, others are converted") {
  GraphBuilder b;
  const int x = b.input("x", {3, 5});
  const Graph graph = b.build({b.add("sum", layers::Add{}, {x, x})});
  CHECK(layer_work(graph, 2).at(0).bytes == 0);
  CHECK(layer_work(graph, 2, DType::f32, DType::u8).at(0).bytes == 2 * 15 * (1 + 4));
  CHECK(layer_work(graph, 2).at(1).bytes == 3 * 2 * 15 * 4);
  CHECK(layer_work(graph, 2, DType::f64, DType::f64).at(1).bytes == 3 * 2 * 15 * 8);
}

TEST_CASE("a pass node by node gives the bits of a pass", "[device]") {
  const Graph graph = ratnet_graph(16);
  const auto parameters =
      std::make_shared<Parameters>(test_queue(2), random_weights(graph, DType::f32, 4));
  Plan plan(graph, parameters, {.batch = 3});
  const View x = plan.input(0, 3);
  write_to(plan.queue(), x, random_doubles(x.count(), 1));
  plan.forward(3);
  const Doubles whole = read_from(plan.queue(), plan.output(0, 3));
  write_to(plan.queue(), x, random_doubles(x.count(), 1));
  std::vector<std::size_t> visited;
  plan.forward(3, [&](std::size_t node) { visited.push_back(node); });
  CHECK(read_from(plan.queue(), plan.output(0, 3)) == whole);
  REQUIRE(visited.size() == plan.graph().nodes().size());
  for (std::size_t i = 0; i < visited.size(); ++i) CHECK(visited[i] == i);
  CHECK_THROWS_AS(plan.forward(4, [](std::size_t) {}), Error);
}
