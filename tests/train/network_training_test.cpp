// Trainings that are no classification: masks, images, codes.
#include <filesystem>
#include <fstream>

#include "../../train/judge.h"
#include "hdf5_file.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::int64_t kSide = 12;

// Grey noise with a bright square; the mask is that square.
struct Squares {
  TensorDataset images, masks;

  Squares() : images(make(false)), masks(make(true)) {}

  static TensorDataset make(bool mask) {
    Random random(21);
    Tensor pixels({120, kSide, kSide}, DType::u8);
    auto values = pixels.values<std::uint8_t>();
    for (std::int64_t i = 0; i < 120; ++i) {
      const std::int64_t row = random.integer(8), column = random.integer(8);
      for (std::int64_t r = 0; r < kSide; ++r)
        for (std::int64_t c = 0; c < kSide; ++c) {
          const bool inside = r >= row && r < row + 4 && c >= column && c < column + 4;
          const auto noise = random.integer(90);
          values[static_cast<std::size_t>((i * kSide + r) * kSide + c)] =
              static_cast<std::uint8_t>(mask ? inside : noise + (inside ? 130 : 1));
        }
    }
    SampleTable table;
    return TensorDataset(std::move(pixels), std::move(table));
  }
};

std::vector<std::int64_t> range(std::int64_t first, std::int64_t last) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = first; i < last; ++i) all.push_back(i);
  return all;
}

Graph segmentation() {
  GraphBuilder b;
  int last = b.input("image", {kSide, kSide, 1});
  last = b.add("conv", layers::Conv{.out = 8, .kernel = {3, 3}, .bias = false}, {last});
  last = b.add("norm", layers::BatchNorm{}, {last});
  last = b.add("relu", layers::Relu{}, {last});
  const int logits = b.add("logits", layers::Conv{.out = 2, .kernel = {3, 3}}, {last});
  const int probability = b.add("probability", layers::Softmax{}, {logits});
  return b.build({logits, probability});
}
const Objective kSegmentation = {
    {.kind = LossKind::cross_entropy, .output = "logits", .target = LossTarget::masks},
    {.kind = LossKind::dice, .output = "probability", .target = LossTarget::masks, .weight = 0.5}};

TrainerOptions quick(std::int64_t epochs) {
  TrainerOptions o;
  o.epochs = epochs;
  o.schedule.rate = 0.02;
  o.loader = {.batch = 16,
              .seed = 3,
              .augmentation = {.shift = 1, .flip_left_right = true},
              .scales = {1 / 255.0f}};
  o.device = test_device();
  o.threads = 2;
  return o;
}

}  // namespace

TEST_CASE("masks move with their images", "[small]") {
  Squares data;
  Loader loader(data.images, range(0, 120),
                {.batch = 16,
                 .seed = 4,
                 .augmentation = {.shift = 3, .flip_left_right = true},
                 .masks = &data.masks,
                 .threads = 2});
  bool moved = false;
  for (int i = 0; i < 16; ++i) {
    const Batch& batch = loader.next();
    const float* pixels = batch.images.as<float>();
    const std::uint8_t* mask = batch.masks.as<std::uint8_t>();
    REQUIRE(batch.masks.shape == Shape{batch.count, kSide, kSide});
    for (std::int64_t p = 0; p < batch.masks.count(); ++p) REQUIRE((pixels[p] > 100) == mask[p]);
    moved = moved || pixels[0] == 0;  // zeros moved in: noise is at least 1
  }
  CHECK(moved);
}

TEST_CASE("a segmentation learns from masks by two losses, and resumes to the bit", "[device]") {
  Squares data;
  TrainerOptions o = quick(on_cpu() ? 6 : 2);
  o.loader.masks = &data.masks;
  o.patience = 10;
  o.monitor = Monitor::dice;
  const auto train = [&](const TrainerOptions& options, const TrainingCallback& callback = {}) {
    return train_network(segmentation(), kSegmentation, data.images, range(0, 90), range(90, 120),
                         options, callback);
  };
  const TrainingResult whole = train(o);
  const auto& history = whole.history;
  CHECK(history.back().training_loss < 0.7 * history.front().training_loss);
  CHECK(std::isnan(history.back().validation_auroc));
  if (on_cpu()) CHECK(history.back().validation_dice > 0.9);

  const TemporaryPath path("masks.checkpoint");
  o.checkpoint_path = path;
  o.resume = true;
  CHECK(train(o, until(4)).interrupted);
  const TrainingResult resumed = train(o);
  check_same(resumed, whole);  // statistics of the normalisation too
}

TEST_CASE("a training leaves curves for TensorBoard", "[small]") {
  Squares data;
  TrainerOptions o = quick(2);
  o.loader.masks = &data.masks;
  const TemporaryPath folder("events");
  o.events_folder = folder;
  train_network(segmentation(), kSegmentation, data.images, range(0, 90), range(90, 120), o);
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(std::string(folder))) {
    std::ifstream in(file.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
    std::filesystem::remove(file.path());
  }
  for (const char* tag : {"epoch/training_loss", "epoch/validation_dice", "batch_norm"})
    CHECK(all.find(tag) != std::string::npos);
  CHECK(all.find("validation_auroc") == std::string::npos);
}

TEST_CASE("an autoencoder learns images, a variational one its code too", "[device]") {
  Squares data;
  GraphBuilder b;
  int last = b.input("image", {kSide, kSide, 1});
  last = b.add("flat", layers::Flatten{}, {last});
  last = b.add("hidden", layers::Dense{.out = 32, .activation = Activation::relu}, {last});
  const int mean = b.add("mean", layers::Dense{.out = 4}, {last});
  const int spread = b.add("log_variance", layers::Dense{.out = 4}, {last});
  const int code = b.add("code", layers::GaussianSample{}, {mean, spread});
  last = b.add("wider", layers::Dense{.out = 32, .activation = Activation::relu}, {code});
  last = b.add("pixels", layers::Dense{.out = kSide * kSide}, {last});
  last = b.add("image_again", layers::Reshape{.shape = {kSide, kSide, 1}}, {last});
  const Graph graph = b.build({last, mean, spread});
  const Objective objective = {
      {.kind = LossKind::mse, .output = "image_again", .target = LossTarget::image},
      {.kind = LossKind::gaussian_kl,
       .output = "mean",
       .log_variance = "log_variance",
       .weight = 1e-4}};
  TrainerOptions o = quick(on_cpu() ? 8 : 2);
  o.loader.augmentation = {};
  o.schedule.rate = 3e-3;
  const TrainingResult result =
      train_network(graph, objective, data.images, range(0, 90), range(90, 120), o);
  CHECK(result.history.back().validation_loss < 0.6 * result.history.front().training_loss);
  CHECK(std::isnan(result.history.back().validation_dice));
}

TEST_CASE("a network learns to undo a change, and only where pixels have a weight", "[device]") {
  Squares data;
  GraphBuilder b;
  const int image = b.input("image", {kSide, kSide, 1});
  const Graph graph = b.build({b.add("again", layers::Conv{.out = 1, .kernel = {1, 1}}, {image})});
  const Objective objective = {{.kind = LossKind::mse, .target = LossTarget::image}};
  TrainerOptions o = quick(on_cpu() ? 40 : 4);
  o.schedule.rate = 0.1;
  o.loader.augmentation = {};
  // Halved, and absurd on the left, where nothing counts.
  o.loader.change = {.name = "half",
                     .apply =
                         [](const Sample& sample, Random&) {
                           for (std::int64_t p = 0; p < kSide * kSide; ++p) {
                             const bool left = p % kSide < kSide / 2;
                             float& pixel = sample.image.as<float>()[p];
                             sample.target.as<float>()[p] = left ? 1e6f : pixel;
                             sample.weight.as<float>()[p] = left ? 0.0f : 1.0f;
                             pixel = left ? 0 : pixel / 2;
                           }
                         },
                     .makes_targets = true};
  o.judged_change = o.loader.change;
  const TrainingResult result =
      train_network(graph, objective, data.images, range(0, 90), range(90, 120), o);
  if (on_cpu()) {
    CHECK(std::abs(result.weights.find("again/weight").value.values<float>()[0] - 2) < 0.1);
    CHECK(result.history.back().validation_loss < 0.01);
  } else {
    CHECK(result.history.back().training_loss < result.history.front().training_loss);
  }
  TrainerOptions plain = o;
  plain.judged_change = {};
  const auto unchanged =
      train_network(graph, objective, data.images, range(0, 90), range(90, 120), plain);
  CHECK(unchanged.history.back().validation_loss != result.history.back().validation_loss);
  CHECK(unchanged.history.back().training_loss == result.history.back().training_loss);
}

TEST_CASE("a loss that warms up comes in parts", "[small]") {
  const Objective objective = {{.kind = LossKind::mse, .target = LossTarget::image},
                               {.kind = LossKind::gaussian_kl, .warm_up = 64}};
  CHECK(warm_up_at(objective, 0) == std::vector{kWarmUpParts, 0});
  CHECK(warm_up_at(objective, 33) == std::vector{kWarmUpParts, 16});
  CHECK(warm_up_at(objective, 64) == std::vector{kWarmUpParts, kWarmUpParts});
  CHECK(objective_from_json(to_json(objective))[1].warm_up == 64);

  // Of a loss that counts for nothing yet, nothing is learnt.
  Squares data;
  GraphBuilder b;
  const int image = b.input("image", {kSide, kSide, 1});
  const Graph graph = b.build({b.add("again", layers::Conv{.out = 1, .kernel = {1, 1}}, {image})});
  TrainerOptions o = quick(1);
  o.optimiser.kind = OptimiserKind::sgd;
  const auto train = [&](std::int64_t warm_up) {
    return train_network(graph,
                         {{.kind = LossKind::mse, .target = LossTarget::image, .warm_up = warm_up}},
                         data.images, range(0, 90), {}, o);
  };
  const auto start = Weights::initialised(graph, o.loader.seed);
  const auto weight = [](const Weights& weights) {
    return weights.find("again/weight").value.values<float>()[0];
  };
  CHECK(weight(train(1000).weights) == weight(start));
  CHECK(weight(train(10).weights) != weight(start));
}

TEST_CASE("a network of volumes learns from their masks", "[device]") {
  Random random(4);
  Tensor pixels({24, 4, 6, 5, 1}, DType::u8), masks({24, 4, 6, 5, 1}, DType::u8);
  for (std::size_t i = 0; i < pixels.values<std::uint8_t>().size(); ++i) {
    const bool inside = random.chance(0.3);
    masks.values<std::uint8_t>()[i] = inside;
    pixels.values<std::uint8_t>()[i] = static_cast<std::uint8_t>(inside ? 200 : 50);
  }
  TensorDataset images(std::move(pixels), {}), labels(std::move(masks), {});
  GraphBuilder b;
  int last = b.input("volume", {4, 6, 5, 1});
  last = b.add("norm", layers::BatchNorm{}, {last});
  const Graph graph =
      b.build({b.add("logits", layers::Conv{.out = 2, .kernel = {1, 1, 1}}, {last})});
  TrainerOptions o = quick(on_cpu() ? 40 : 3);
  o.schedule.rate = 0.1;
  o.loader.batch = 4;
  o.loader.masks = &labels;
  o.loader.augmentation = {.shift = 1, .flip_left_right = true};
  const TrainingResult result =
      train_network(graph, {{.target = LossTarget::masks}}, images, range(0, 18), range(18, 24), o);
  CHECK(result.history.back().training_loss < result.history.front().training_loss);
  if (on_cpu()) CHECK(result.history.back().validation_dice > 0.95);
}

TEST_CASE("trainings that data and losses do not allow are refused", "[small]") {
  Squares data;
  const auto with = [&](ErrorKind kind, const char* part, const Graph& graph,
                        const Objective& objective, const TrainerOptions& o) {
    return refused(kind, part, [&] {
      train_network(graph, objective, data.images, range(0, 90), range(90, 120), o);
    });
  };
  const TrainerOptions o = quick(1);
  CHECK(with(ErrorKind::input, "has no 'masks'", segmentation(), kSegmentation, o) == "");
  const Objective labels = {{.output = "logits"}};
  CHECK(with(ErrorKind::input, "the loss cross_entropy of 'logits' gets [12, 12, 2]",
             segmentation(), labels, o) == "");
  GraphBuilder classes;
  const int flat =
      classes.add("flat", layers::Flatten{}, {classes.input("image", {kSide, kSide, 1})});
  const Graph classifier = classes.build({classes.add("logits", layers::Dense{.out = 2}, {flat})});
  CHECK(with(ErrorKind::input, "has no 'labels'", classifier, labels, o) == "");
  TrainerOptions monitored = o;
  monitored.loader.masks = &data.masks;
  monitored.monitor = Monitor::auroc;
  monitored.patience = 1;
  CHECK(with(ErrorKind::usage, "AUROC", segmentation(), kSegmentation, monitored) == "");
  // What a mask holds has to have its place in the output.
  for (const auto& [from, to, part] :
       {std::tuple{1, 2, "masks hold the label 2"}, std::tuple{1, 255, "nothing but 0 and 255"}}) {
    Tensor pixels({120, kSide, kSide, 1}, DType::u8);
    data.masks.read(0, pixels.view());
    for (std::uint8_t& value : pixels.values<std::uint8_t>())
      if (value == from) value = static_cast<std::uint8_t>(to);
    TensorDataset wrong(std::move(pixels), {});
    TrainerOptions masked = o;
    masked.loader.masks = &wrong;
    CHECK(with(ErrorKind::input, part, segmentation(), kSegmentation, masked) == "");
  }
  TrainerOptions subpixel = o;
  subpixel.loader.masks = &data.masks;
  subpixel.loader.augmentation = {.shift = 1, .subpixel = true};
  CHECK(with(ErrorKind::usage, "whole pixels", segmentation(), kSegmentation, subpixel) == "");
}

TEST_CASE("a judge tells all its memory, and reads masks once for all losses", "[small]") {
  Squares data;
  const Graph graph = segmentation();
  const QueueHandle queue = test_queue(1);
  const auto parameters = std::make_shared<Parameters>(queue, Weights::initialised(graph, 6));
  const Judge judge(graph, parameters, kSegmentation, data.images,
                    {.batch = 32, .masks = &data.masks});
  // A byte for each pixel of the masks; the weights with the normalisation folded in.
  const auto plan = Plan::memory_of(graph, parameters, {.batch = 32});
  CHECK(judge.bytes() == plan.beside_parameters() + 32 * kSide * kSide);

  struct Counted final : Dataset {
    Dataset& of;
    std::int64_t images = 0;
    explicit Counted(Dataset& dataset) : of(dataset) {}
    std::int64_t size() const override { return of.size(); }
    Shape image_shape() const override { return of.image_shape(); }
    DType dtype() const override { return of.dtype(); }
    const SampleTable& table() const override { return of.table(); }
    std::string name() const override { return of.name(); }
    void read(std::int64_t first, View to) override {
      images += to.shape[0];
      of.read(first, to);
    }
  } counted(data.masks);
  check_samples(graph, kSegmentation, data.images, &counted, range(0, 90));
  CHECK(counted.images == 90);
}

TEST_CASE("a judge counts what a plain loop counts", "[device][small]") {
  Squares data;
  const Graph graph = segmentation();
  const QueueHandle queue = test_queue(2);
  const auto parameters = std::make_shared<Parameters>(queue, Weights::initialised(graph, 6));
  const auto indices = range(0, 37);
  Judge judge(graph, parameters, kSegmentation, data.images,
              {.scales = {1 / 255.0f}, .masks = &data.masks});
  const Judgement judged = judge.run(indices);

  Plan plan(graph, parameters, {.batch = 37});
  std::vector<double> pixels;
  Tensor images({37, kSide, kSide, 1}, DType::u8), masks({37, kSide, kSide, 1}, DType::u8);
  data.images.read(0, images.view());
  data.masks.read(0, masks.view());
  for (const std::uint8_t value : images.values<std::uint8_t>())
    pixels.push_back(static_cast<double>(static_cast<float>(value) * (1 / 255.0f)));
  write_to(*queue, plan.input(0, 37), pixels);
  plan.forward(37);
  const auto logits = read_from(*queue, plan.output(0, 37));
  const auto probability = read_from(*queue, plan.output(1, 37));
  std::int64_t truth = 0, called = 0, both = 0;
  double loss = 0;
  const auto mask = masks.values<std::uint8_t>();
  // Of the judge's batches, 32 samples and 5, each by its samples.
  constexpr std::size_t kPixels = kSide * kSide;
  for (const auto& [first, last] : {std::pair<std::size_t, std::size_t>{0, 32}, {32, 37}}) {
    double entropy = 0, intersection[2] = {}, sizes[2] = {};
    for (std::size_t p = first * kPixels; p < last * kPixels; ++p) {
      const bool is = mask[p] == 1, says = logits[2 * p + 1] > logits[2 * p];
      truth += is;
      called += says;
      both += is && says;
      entropy += std::log1p(std::exp(logits[2 * p + !is] - logits[2 * p + is]));
      for (std::size_t k = 0; k < 2; ++k) {
        const double here = mask[p] == k ? 1 : 0;
        intersection[k] += probability[2 * p + k] * here;
        sizes[k] += probability[2 * p + k] + here;
      }
    }
    double dice = 0;
    for (std::size_t k = 0; k < 2; ++k)
      dice += (2 * intersection[k] + 1e-5) / (sizes[k] + 1e-5) / 2;
    const auto samples = static_cast<double>(last - first);
    loss += samples / 37 * (entropy / (samples * kPixels) + 0.5 * (1 - dice));
  }
  REQUIRE(judged.overlap.size() == 2);
  CHECK(judged.overlap[1].truth == truth);
  CHECK(judged.overlap[1].predicted == called);
  CHECK(judged.overlap[1].both == both);
  REQUIRE(both > 0);
  CHECK(judged.dice == 2.0 * static_cast<double>(both) / static_cast<double>(truth + called));
  CHECK(judged.samples == 37);
  CHECK(std::abs(judged.loss / loss - 1) < 1e-6);
  CHECK(std::isnan(judged.accuracy));
}
