// Which output of a graph tells classes apart, and what its numbers mean.
#include "../../train/class_output.h"

#include <array>
#include <cmath>

#include "../catch.h"
#include "../network/refused.h"

using namespace ratnet;
using testing::refused;

namespace {

// Logits of classes, with a softmax and a sigmoid over them.
Graph two_heads() {
  GraphBuilder b;
  const int image = b.input("image", {4, 4, 1});
  const int logits = b.add("logits", layers::Conv{.out = 3, .kernel = {1, 1}}, {image});
  const int p = b.add("p", layers::Softmax{.temperature = 2}, {logits});
  const int one = b.add("one", layers::Conv{.out = 1, .kernel = {1, 1}}, {image});
  return b.build({logits, p, one, b.add("q", layers::Sigmoid{}, {one})});
}

}  // namespace

TEST_CASE("the first cross-entropy tells classes apart, a Dice loss where there is none") {
  const Graph graph = two_heads();
  const LossTerm dice{.kind = LossKind::dice, .output = "q", .target = LossTarget::masks};
  const LossTerm entropy{.output = "logits", .target = LossTarget::masks};
  const auto by = [&](const Objective& objective) {
    return class_output(graph, objective, LossTarget::masks);
  };
  const auto first = by({dice, entropy});
  REQUIRE(first);
  CHECK(first->output == "logits");
  CHECK(first->classes() == 3);
  CHECK(first->logits);
  CHECK(first->temperature == 2);
  const auto alone = by({dice});
  REQUIRE(alone);
  CHECK(alone->output == "q");
  CHECK(alone->classes() == 2);
  CHECK_FALSE(alone->logits);
  CHECK_FALSE(by({{.kind = LossKind::mse, .output = "one", .target = LossTarget::image}}));
  CHECK_FALSE(class_output(graph, {entropy}, LossTarget::labels));
  CHECK_THROWS_AS(by({{.output = "nowhere", .target = LossTarget::masks}}), Error);
  CHECK(restates(graph, graph.find("p"), *first));
  CHECK_FALSE(restates(graph, graph.find("q"), *first));
  CHECK_FALSE(restates(graph, graph.find("logits"), *first));
}

TEST_CASE("no more classes are told apart than a byte can name") {
  const auto of = [](std::int64_t classes) {
    GraphBuilder b;
    const int mean = b.add("mean", layers::GlobalPool{}, {b.input("image", {2, 2, 1})});
    const Graph graph = b.build({b.add("logits", layers::Dense{.out = classes}, {mean})});
    return class_output(graph, {{.output = "logits"}}, LossTarget::labels);
  };
  CHECK(of(255)->classes() == 255);
  for (const std::int64_t classes : {256, 300, 70000})
    CHECK(refused(ErrorKind::input, "255 stands for no label", [&] { of(classes); }) == "");
}

TEST_CASE("logits become probabilities by the softmax or the sigmoid, at any size") {
  std::array<double, 2> two{};
  const ClassOutput logit{.width = 1}, probability{.width = 1, .logits = false};
  for (const float x : {-800.0f, -2.0f, 0.0f, 2.0f, 800.0f}) {
    logit.to_probabilities(&x, two);
    CHECK(two[1] == Approx(1 / (1 + std::exp(-double(x)))));
    CHECK(two[0] == Approx(1 / (1 + std::exp(double(x)))));
    CHECK(logit.decide(&x) == (x > 0));
    CHECK(logit.margin(&x) == double(x));
  }
  const float likely = 0.75f;
  probability.to_probabilities(&likely, two);
  CHECK(two == std::array{0.25, 0.75});
  CHECK(probability.decide(&likely) == 1);

  const ClassOutput three{.width = 3, .temperature = 2};
  const float row[] = {1, 3, -900};
  std::array<double, 3> p{};
  three.to_probabilities(row, p);
  CHECK(p[0] == Approx(1 / (1 + std::exp(1.0))));
  CHECK(p[1] == Approx(1 / (1 + std::exp(-1.0))));
  CHECK(p[2] == Approx(0).margin(1e-12));
  CHECK(three.decide(row) == 1);
  CHECK_THROWS_AS(three.margin(row), Error);
  CHECK_THROWS_AS(three.to_probabilities(row, two), Error);
  const ClassOutput pair{.width = 2, .temperature = 2};
  CHECK(pair.margin(row) == 2);
  const float equal[] = {5, 5};
  CHECK(pair.decide(equal) == 0);
}
