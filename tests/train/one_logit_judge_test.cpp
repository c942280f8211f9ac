// A judge of networks whose one logit speaks for class 1, against plain loops.
#include "../../train/judge.h"
#include "../network/plan_runs.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::int64_t kN = 50;  // one batch

std::vector<std::int64_t> first_images() {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = 0; i < kN; ++i) indices.push_back(i);
  return indices;
}

// What the network says of the first images.
Doubles logits_of(const Graph& graph, const std::shared_ptr<Parameters>& parameters) {
  Plan plan(graph, parameters, {.batch = kN});
  Tensor pixels({kN, 16, 16, 1}, DType::u8);
  spots().read(0, pixels.view());
  Doubles images = doubles(pixels);
  for (double& pixel : images) pixel *= static_cast<double>(1 / 255.0f);
  write_to(plan.queue(), plan.input(0, kN), images);
  plan.forward(kN);
  return read_from(plan.queue(), plan.output(0, kN));
}

struct ByHand {
  double loss = 0;  // without the positive weight
  std::int64_t labelled = 0, right = 0, ones = 0, called = 0, both = 0;
};
ByHand by_hand(const Doubles& logits, const Doubles& labels) {
  ByHand sums;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (labels[i] > 1) continue;
    const bool is = labels[i] == 1, says = logits[i] > 0;
    sums.loss += std::log1p(std::exp(is ? -logits[i] : logits[i]));
    ++sums.labelled;
    sums.right += is == says;
    sums.ones += is;
    sums.called += says;
    sums.both += is && says;
  }
  sums.loss /= static_cast<double>(sums.labelled);
  return sums;
}

// A threshold amid the logits: the bias is such that the median is 0.
std::shared_ptr<Parameters> centred(const Graph& graph, const std::string& bias) {
  Weights weights = Weights::initialised(graph, 6);
  const auto parameters = std::make_shared<Parameters>(test_queue(2), weights);
  Doubles logits = logits_of(graph, parameters);
  std::sort(logits.begin(), logits.end());
  for (auto& entry : weights.entries())
    if (entry.name == bias)
      entry.value.values<float>()[0] = -static_cast<float>(logits[logits.size() / 2]);
  return std::make_shared<Parameters>(test_queue(2), weights);
}

}  // namespace

TEST_CASE("a judge of one logit counts samples as a plain loop does", "[device]") {
  const Graph graph = small_graph(1).up_to({"logits"});
  const auto parameters = centred(graph, "logits/bias");
  SampleTable table = spots().table();
  table.labels[7] = kUnlabelled;
  Tensor pixels({kImages, 16, 16}, DType::u8);
  spots().read(0, View(pixels.data(), DType::u8, {kImages, 16, 16, 1}));
  TensorDataset dataset(std::move(pixels), table);
  Judge judge(graph, parameters, {{.kind = LossKind::binary_cross_entropy, .positive_weight = 5}},
              dataset, {.batch = 64, .scales = {1 / 255.0f}});
  const Judgement judged = judge.run(first_images());

  const Doubles logits = logits_of(graph, parameters);
  const Doubles labels(table.labels.begin(), table.labels.begin() + kN);
  const ByHand expected = by_hand(logits, labels);
  double ranked = 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    for (std::size_t j = 0; j < logits.size(); ++j)
      if (labels[i] == 1 && labels[j] == 0)
        ranked += logits[i] > logits[j] ? 1 : logits[i] == logits[j] ? 0.5 : 0;
  REQUIRE(expected.labelled == kN - 1);
  REQUIRE(expected.both > 0);
  CHECK(judged.samples == kN);
  CHECK(std::abs(judged.loss / expected.loss - 1) < 1e-6);
  CHECK(judged.accuracy ==
        static_cast<double>(expected.right) / static_cast<double>(expected.labelled));
  CHECK(std::abs(judged.auroc - ranked / static_cast<double>(expected.ones *
                                                             (expected.labelled - expected.ones))) <
        1e-12);
  CHECK(relative(Doubles(judged.scores.begin(), judged.scores.end()), logits) < 1e-6);
  CHECK(judged.overlap.empty());
}

TEST_CASE("a judge of one logit counts pixels as a plain loop does", "[device]") {
  GraphBuilder b;
  const int image = b.input("image", {16, 16, 1});
  const Graph graph = b.build({b.add("logit", layers::Conv{.out = 1, .kernel = {3, 3}}, {image})});
  const auto parameters = centred(graph, "logit/bias");
  Random random(8);
  Tensor values({kImages, 16, 16}, DType::u8);
  for (std::uint8_t& value : values.values<std::uint8_t>()) {
    constexpr std::uint8_t kinds[] = {0, 0, 1, 255};
    value = kinds[random.integer(4)];
  }
  Doubles labels = doubles(values);
  labels.resize(static_cast<std::size_t>(kN * 256));
  TensorDataset images = spots(), masks(std::move(values), {});
  Judge judge(
      graph, parameters,
      {{.kind = LossKind::binary_cross_entropy, .target = LossTarget::masks, .positive_weight = 5}},
      images, {.batch = 64, .scales = {1 / 255.0f}, .masks = &masks});
  const Judgement judged = judge.run(first_images());

  const ByHand expected = by_hand(logits_of(graph, parameters), labels);
  REQUIRE(expected.labelled < kN * 256);
  REQUIRE(expected.both > 0);
  CHECK(std::abs(judged.loss / expected.loss - 1) < 1e-6);
  REQUIRE(judged.overlap.size() == 2);
  CHECK(judged.overlap[1].truth == expected.ones);
  CHECK(judged.overlap[1].predicted == expected.called);
  CHECK(judged.overlap[1].both == expected.both);
  CHECK(judged.dice == 2.0 * static_cast<double>(expected.both) /
                           static_cast<double>(expected.ones + expected.called));
  CHECK(std::isnan(judged.accuracy));
}
