#include "../../network/weights.h"

#include <cmath>

#include "../../apps/dark_slices/ratnet.h"
#include "../catch.h"
#include "../kernels/random_tensor.h"
#include "refused.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

struct Moments {
  double mean = 0, deviation = 0, most = 0;
};

// A dense layer of 400 x 600, drawn by that initialiser.
Moments moments_of(Init init, DType dtype) {
  GraphBuilder builder;
  const int x = builder.input("x", {400});
  const Graph graph =
      builder.build({builder.add("d", layers::Dense{.out = 600, .init = init}, {x})});
  const Weights weights = Weights::initialised(graph, 11, dtype);
  const auto values = doubles(weights.find("d/weight").value);
  Moments m;
  for (const double v : values) {
    m.mean += v;
    m.most = std::max(m.most, std::abs(v));
  }
  m.mean /= static_cast<double>(values.size());
  for (const double v : values) m.deviation += (v - m.mean) * (v - m.mean);
  m.deviation = std::sqrt(m.deviation / static_cast<double>(values.size()));
  for (const double v : doubles(weights.find("d/bias").value)) CHECK(v == 0);
  return m;
}

Graph two_layers() {
  GraphBuilder b;
  const int x = b.input("x", {4, 4, 1});
  const int a = b.add("enc/1", layers::Conv{.out = 2, .kernel = {3, 3}}, {x});
  const int c = b.add("enc/2", layers::Conv{.out = 2, .kernel = {3, 3}, .bias = false}, {a});
  const int d = b.add("dec", layers::Conv{.out = 1, .kernel = {3, 3}}, {c});
  return b.build({d});
}

}  // namespace

TEST_CASE("initialisers have the moments of their papers") {
  const double he = std::sqrt(2.0 / 400), glorot = std::sqrt(2.0 / 1000);
  struct Expected {
    Init init;
    double deviation, bound;  // bound: no value beyond it; values come close to it
  };
  // A normal distribution cut at two deviations keeps 0.8796 of its deviation.
  for (const Expected& e : {Expected{Init::he_normal, he, 0},
                            {Init::he_uniform, he, he * std::sqrt(3.0)},
                            {Init::glorot_normal, glorot, 0},
                            {Init::glorot_uniform, glorot, glorot * std::sqrt(3.0)},
                            {Init::truncated_normal, 0.8796257 * glorot, 2 * glorot}})
    for (const DType dtype : {DType::f32, DType::f64}) {
      INFO(static_cast<int>(e.init) << " " << name_of(dtype));
      const Moments m = moments_of(e.init, dtype);
      // 240,000 values: five standard errors.
      CHECK(std::abs(m.mean) < 5 * e.deviation / std::sqrt(240000.0));
      CHECK(m.deviation == Approx(e.deviation).epsilon(0.01));
      if (e.bound > 0) {
        CHECK(m.most <= e.bound * (1 + 1e-6));
        CHECK(m.most > 0.99 * e.bound);
      } else {
        CHECK(m.most > 3.5 * e.deviation);
      }
    }
  CHECK(moments_of(Init::zeros, DType::f32).most == 0);
}

TEST_CASE("a convolution's fan-in counts its taps") {
  GraphBuilder builder;
  const int x = builder.input("x", {8, 8, 40});
  const Graph graph = builder.build(
      {builder.add("c", layers::Conv{.out = 60, .kernel = {5, 3}, .init = Init::he_uniform}, {x})});
  double most = 0;
  for (const double v : doubles(Weights::initialised(graph, 1).find("c/weight").value))
    most = std::max(most, std::abs(v));
  CHECK(most == Approx(std::sqrt(6.0 / 600)).epsilon(0.01));
}

TEST_CASE("weights are drawn from their seed") {
  const Graph graph = ratnet_graph(16);
  const Weights a = Weights::initialised(graph, 3), b = Weights::initialised(graph, 3);
  const Weights other = Weights::initialised(graph, 4);
  const Weights doubled = Weights::initialised(graph, 3, DType::f64);
  for (const auto& entry : a.entries()) {
    INFO(entry.name);
    CHECK(same_bits(entry.value, b.find(entry.name).value));
    CHECK(distance(entry.value, doubles(doubled.find(entry.name).value)) < 1e-6);
    if (entry.name.ends_with("weight"))
      CHECK(!same_bits(entry.value, other.find(entry.name).value));
  }
  // Layers of one shape do not get the same numbers.
  CHECK(!same_bits(a.find("conv2/weight").value, a.find("conv3/weight").value));
  CHECK(refused(ErrorKind::usage, "i32", [&] { Weights::initialised(graph, 1, DType::i32); }) ==
        "");
}

TEST_CASE("weights are frozen by pattern") {
  Weights weights = Weights::initialised(two_layers(), 1);
  CHECK(weights.freeze("enc/*") == 3);
  CHECK(weights.find("enc/2/weight").frozen);
  CHECK(!weights.find("dec/weight").frozen);
  CHECK(weights.freeze("*", false) == 5);
  CHECK(!weights.find("enc/1/bias").frozen);
  CHECK(weights.freeze("*/weight") == 3);
  CHECK(weights.freeze("dec/bias") == 1);
  CHECK(weights.freeze("dec") == 0);
  CHECK(weights.freeze("") == 0);
  CHECK(weights.freeze("e*c*t") == 2);
  CHECK(weights.freeze("**enc**bias**") == 1);
  CHECK(weights.freeze("enc?1*") == 0);
  const Weights copy = weights.clone();
  CHECK(copy.find("dec/bias").frozen);
  CHECK(copy.count() == 9 * 2 + 2 + 9 * 4 + 9 * 2 + 1);
  // A pattern made to be slow.
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "*e";
  CHECK(weights.freeze(stars) == 0);
}

TEST_CASE("weights that are not the graph's are refused") {
  const Graph graph = two_layers();
  const Weights good = Weights::initialised(graph, 1);
  CHECK_NOTHROW(good.check_against(graph));
  Weights missing, wrong = good.clone(), more = good.clone();
  for (const auto& entry : good.entries())
    if (entry.name != "dec/bias") missing.add(entry.name, entry.value.clone());
  wrong.find("dec/bias").value = Tensor({2}, DType::f32);
  more.add("other", Tensor({1}, DType::f32));
  for (const Weights* weights : {&missing, &wrong, &more})
    CHECK(refused(ErrorKind::input, "", [&] { weights->check_against(graph); }) == "");
  CHECK(refused(ErrorKind::usage, "two weights",
                [&] { more.add("other", Tensor({1}, DType::f32)); }) == "");
  CHECK(refused(ErrorKind::usage, "no weight", [&] { more.find("x"); }) == "");
}
