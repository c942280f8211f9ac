#include "../../train/objective.h"

#include "../../train/objective_shapes.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

// [N, 8, 8, channels in] -> [N, 8, 8, out], the last layer called "last".
Graph image_graph(std::int64_t in, std::int64_t out, bool softmax = false) {
  GraphBuilder b;
  int last = b.input("image", {8, 8, in});
  last = b.add("last", layers::Conv{.out = out, .kernel = {3, 3}}, {last});
  if (softmax) last = b.add("probability", layers::Softmax{}, {last});
  return b.build({last});
}

LossTerm only_term(const Graph& graph, bool labels, bool masks) {
  const Objective objective = default_objective(graph, labels, masks);
  REQUIRE(objective.size() == 1);
  return objective[0];
}

}  // namespace

TEST_CASE("losses are the same after a trip through JSON") {
  const Objective objective = {
      {.kind = LossKind::dice, .output = "p", .target = LossTarget::masks, .weight = 0.5},
      {.kind = LossKind::cross_entropy,
       .output = "logits",
       .target = LossTarget::masks,
       .class_weights = {1, 3},
       .label_smoothing = 0.1},
      {.kind = LossKind::ssim, .output = "y", .target = LossTarget::image, .window = 7},
      {.kind = LossKind::l1, .output = "y", .target = LossTarget::image, .mask = true},
      {.kind = LossKind::gaussian_kl, .output = "mean", .log_variance = "spread", .weight = 1e-3}};
  const std::string json = to_json(objective);
  CHECK(to_json(objective_from_json(json)) == json);
  const Objective again = objective_from_json(json);
  CHECK(again[0].weight == 0.5);
  CHECK(again[1].class_weights == std::vector<float>{1, 3});
  CHECK(again[2].target == LossTarget::image);
  CHECK(again[4].log_variance == "spread");
  CHECK(reads(again, LossTarget::masks));
  CHECK_FALSE(reads(again, LossTarget::labels));
  CHECK(again[3].mask);
  CHECK_FALSE(again[2].mask);
  CHECK(reads({again[3]}, LossTarget::masks));
  CHECK_FALSE(reads({again[2]}, LossTarget::masks));
}

TEST_CASE("losses that make no sense are refused") {
  for (const char* json : {"",
                           "{}",
                           "[]",
                           "[1]",
                           R"([{"kind": "wish"}])",
                           R"([{"kind": "mse", "weight": -1}])",
                           R"([{"kind": "mse", "target": "labels"}])",
                           R"([{"kind": "dice", "target": "image"}])",
                           R"([{"kind": "dice", "smoothnes": 1}])",
                           R"([{"kind": "mse", "weight": "much"}])",
                           R"([{"target": "masks"}])",
                           R"([{"kind": "ssim", "window": 1e300}])",
                           R"([{"kind": "cross_entropy", "positive_weight": 5}])",
                           R"([{"kind": "binary_cross_entropy", "class_weights": [1, 9]}])",
                           R"([{"kind": "cross_entropy", "class_weights": [1, -9]}])",
                           R"([{"kind": "dice", "target": "labels"}])",
                           R"([{"kind": "mse", "mask": 1}])",
                           R"([{"kind": "dice", "mask": true}])",
                           R"([{"kind": "binary_cross_entropy", "mask": true}])",
                           R"([{"kind": "cross_entropy", "mask": true}])",
                           R"([{"kind": "gaussian_kl", "mask": true}])"}) {
    INFO(json);
    CHECK_THROWS_AS(objective_from_json(json), Error);
  }
}

TEST_CASE("a loss of windows has no mask") {
  CHECK(refused(ErrorKind::input, "the loss ssim has no field 'mask'",
                [] { objective_from_json(R"([{"kind": "ssim", "mask": true}])"); }) == "");
}

TEST_CASE("what nobody chose suits the graph and the data") {
  CHECK(only_term(small_graph(), true, false).output == "logits");  // not the softmax
  CHECK(only_term(small_graph(), true, true).kind == LossKind::cross_entropy);
  CHECK(only_term(small_graph(), true, true).target == LossTarget::labels);
  CHECK(only_term(small_graph(1), true, false).kind == LossKind::binary_cross_entropy);

  CHECK(only_term(image_graph(1, 3, true), true, true).output == "last");
  CHECK(only_term(image_graph(1, 3), true, true).kind == LossKind::cross_entropy);
  CHECK(only_term(image_graph(1, 3), true, true).target == LossTarget::masks);
  CHECK(only_term(image_graph(3, 1), false, true).kind == LossKind::binary_cross_entropy);

  CHECK(only_term(image_graph(2, 2), true, false).kind == LossKind::mse);
  CHECK(only_term(image_graph(2, 2), true, false).target == LossTarget::image);
  CHECK(refused(ErrorKind::input, "suits no loss",
                [] { default_objective(image_graph(1, 3), true, false); }) == "");
  CHECK(refused(ErrorKind::input, "suits no loss",
                [] { default_objective(small_graph(), false, false); }) == "");
}

TEST_CASE("losses and outputs have to belong together", "[device][small]") {
  const QueueHandle queue = test_queue(1);
  GraphBuilder b;
  const int x = b.input("image", {8, 8, 1});
  const int one = b.add("one", layers::Conv{.out = 1, .kernel = {3, 3}}, {x});
  const int two = b.add("two", layers::Conv{.out = 1, .kernel = {3, 3}}, {x});
  const Graph graph = b.build({one, two});
  const auto parameters = std::make_shared<Parameters>(queue, Weights::initialised(graph, 1));
  Plan plan(graph, parameters, {.mode = Mode::train});
  const auto with = [&](const Objective& objective, const char* part) {
    return refused(ErrorKind::usage, part, [&] { PlannedLosses(plan, objective); });
  };
  const auto mse = [](const char* output) {
    return LossTerm{.kind = LossKind::mse, .output = output, .target = LossTarget::image};
  };
  CHECK(with({mse("one")}, "no loss reads the output 'two'") == "");
  CHECK(with({mse("one"), mse("three")}, "'three'") == "");
  CHECK(with({mse("")}, "2 outputs") == "");
  CHECK_NOTHROW(PlannedLosses(plan, {mse("one"), mse("two"), mse("one")}));
  CHECK(graph_for(graph, {mse("two")}).outputs().size() == 1);
}

TEST_CASE("losses say which shape they read") {
  GraphBuilder b;
  const int image = b.input("image", {8, 6, 1});
  const int same = b.add("same", layers::Conv{.out = 1, .kernel = {3, 3}}, {image});
  const int three = b.add("three", layers::Conv{.out = 3, .kernel = {3, 3}}, {image});
  const int small = b.add("small", layers::MaxPool{.kernel = {2, 2}}, {same});
  const int flat = b.add("flat", layers::Flatten{}, {small});
  const int logits = b.add("logits", layers::Dense{.out = 2}, {flat});
  const int one = b.add("one", layers::Dense{.out = 1}, {flat});
  const Graph graph = b.build({same, three, small, logits, one});
  const auto fits = [&](const char* loss) {
    check_shapes(graph, objective_from_json("[{" + std::string(loss) + "}]"));
  };
  fits(R"("kind": "mse", "output": "same")");
  fits(R"("kind": "cross_entropy", "output": "logits")");
  fits(R"("kind": "cross_entropy", "output": "three", "target": "masks")");
  fits(R"("kind": "binary_cross_entropy", "output": "one")");
  fits(R"("kind": "binary_cross_entropy", "output": "same", "target": "masks")");
  fits(R"("kind": "dice", "output": "same")");
  fits(R"("kind": "gaussian_kl", "output": "one", "log_variance": "one")");

  const std::pair<const char*, const char*> bad[] = {
      {R"("kind": "mse", "output": "small")",
       "the loss mse of 'small' gets [4, 3, 1], but reads an image like the input, [8, 6, 1]"},
      {R"("kind": "ssim", "output": "three")", "gets [8, 6, 3], but reads an image"},
      {R"("kind": "cross_entropy", "output": "one")",
       "gets [1], but reads logits of K >= 2 classes [K] for labels"},
      {R"("kind": "cross_entropy", "output": "three")", "gets [8, 6, 3], but reads logits"},
      {R"("kind": "cross_entropy", "output": "logits", "target": "masks")",
       "gets [2], but reads logits of K >= 2 classes [8, 6, K] for masks"},
      {R"("kind": "binary_cross_entropy", "output": "logits")",
       "gets [2], but reads one logit [1] for labels"},
      {R"("kind": "binary_cross_entropy", "output": "small", "target": "masks")",
       "gets [4, 3, 1], but reads one logit [8, 6, 1] for masks"},
      {R"("kind": "dice", "output": "logits")",
       "gets [2], but reads probabilities [8, 6, K] for masks"},
      {R"("kind": "gaussian_kl", "output": "logits")", "needs the output log_variance"},
      {R"("kind": "gaussian_kl", "output": "logits", "log_variance": "one")",
       "gets a mean of [2] and a log_variance of [1]"}};
  for (const auto& [loss, why] : bad) {
    INFO(loss);
    CHECK(refused(ErrorKind::input, why, [&, json = loss] { fits(json); }) == "");
  }
}

TEST_CASE("a loss whose numbers do not suit says which one it is") {
  const QueueHandle queue = test_queue(1);
  const Graph graph = image_graph(1, 1);
  Plan plan(graph, std::make_shared<Parameters>(queue, Weights::initialised(graph, 1)), {});
  PlannedLosses losses(
      plan,
      {{.kind = LossKind::ssim, .output = "last", .target = LossTarget::image, .window = 10}});
  const Buffer sum(queue, sizeof(double));
  CHECK(
      refused(ErrorKind::usage, "the loss ssim of 'last': ssim_loss: the window must be odd", [&] {
        losses.submit(1, {.image = plan.input(0, 1)}, View(sum.data(), DType::f64, {1}));
      }) == "");
}
