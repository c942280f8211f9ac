// What a training shows of its validation samples, and that it learns the same.
#include "../../train/validation_pictures.h"

#include <set>

#include "../../train/sample_picture.h"
#include "../network/temporary_folder.h"
#include "event_file.h"
#include "palette_png.h"
#include "small_training.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::int64_t kCount = 24;  // of which every third shows nothing
constexpr std::int64_t kHeight = 10, kWidth = 7;

// Dark noise with a bright block where the mask is 1; a third has no block. Number 2 is all grey.
struct Blocks {
  TensorDataset images, masks;

  Blocks() : images(make(false)), masks(make(true)) {}

  static TensorDataset make(bool mask) {
    Random random(4);
    Tensor pixels({kCount, kHeight, kWidth}, DType::u8);
    auto values = pixels.values<std::uint8_t>();
    for (std::int64_t i = 0; i < kCount; ++i) {
      const std::int64_t row = random.integer(6), column = random.integer(4);
      for (std::int64_t r = 0; r < kHeight; ++r)
        for (std::int64_t c = 0; c < kWidth; ++c) {
          const bool inside =
              i % 3 != 2 && r >= row && r < row + 4 && c >= column && c < column + 3;
          const auto dark = random.integer(60);
          values[static_cast<std::size_t>((i * kHeight + r) * kWidth + c)] =
              static_cast<std::uint8_t>(mask         ? inside
                                        : inside     ? 180
                                        : i % 3 == 2 ? 30
                                                     : dark);
        }
    }
    return TensorDataset(std::move(pixels), {});
  }
};

// What is trained on, and what is shown: every sample of the second half.
const std::vector<std::int64_t> kTrain = {0, 1, 3, 4, 6, 7, 9, 10},
                                kHeldOut = {12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23},
                                kShown = {12, 15, 18, 21};

// A pixel is just what the threshold between dark and bright says, from the start on.
Graph pixelwise(const std::string& name) {
  GraphBuilder b;
  const int image = b.input("image", {kHeight, kWidth, 1});
  return b.build({b.add(name, layers::Conv{.out = 1, .kernel = {1, 1}}, {image})});
}

std::shared_ptr<const Weights> pixelwise_weights(const std::string& name, float slope, float at_0) {
  Weights weights;
  weights.add(name + "/weight",
              Weights::initialised(pixelwise(name), 1).find(name + "/weight").value.clone());
  weights.find(name + "/weight").value.values<float>()[0] = slope;
  weights.add(name + "/bias", Tensor::of<float>({1}, std::vector<float>{at_0}));
  return std::make_shared<const Weights>(std::move(weights));
}

TrainerOptions slow(std::int64_t epochs) {
  TrainerOptions o = options(epochs);
  o.schedule.rate = 1e-9;
  o.loader.batch = 3;  // so that the samples shown come in two batches
  o.loader.balance = false;
  o.loader.augmentation = {};
  o.class_weights = {};
  return o;
}

std::set<std::string> picture_tags(const std::vector<Told>& all) {
  std::set<std::string> tags;
  for (const Told& told : all)
    if (!told.png.empty()) tags.insert(told.tag);
  return tags;
}

const std::set<std::string> kMaskTags = {"masks/sample 1", "masks/sample 2", "masks/sample 3",
                                         "masks/sample 4"};

}  // namespace

TEST_CASE("a perfect segmentation is shown as its masks, and shown trainings learn the same",
          "[device]") {
  Blocks data;
  const TemporaryFolder folder;
  TrainerOptions o = slow(2);
  o.loader.masks = &data.masks;
  o.start = pixelwise_weights("logit", 100, -40);  // of pixels from 0 to 1
  const Objective objective = {
      {.kind = LossKind::binary_cross_entropy, .target = LossTarget::masks}};
  const auto train = [&] {
    return train_network(pixelwise("logit"), objective, data.images, kTrain, kHeldOut, o);
  };
  const TrainingResult plain = train();
  REQUIRE(plain.history.back().validation_dice == 1);
  o.events_folder = folder / "events";
  check_same(train(), plain);

  const std::vector<Told> told = told_in(o.events_folder);
  CHECK(picture_tags(told) == kMaskTags);
  for (std::size_t i = 0; i < kShown.size(); ++i) {
    const auto pictures = with_tag(told, "masks/sample " + std::to_string(i + 1));
    REQUIRE(pictures.size() == 2);
    CHECK(pictures[0].step == 3);  // 8 images in batches of 3
    CHECK(pictures[1].step == 6);
    CHECK(pictures[0].png == pictures[1].png);
    const DrawnPicture drawn = read_palette_png(pictures[0].png);
    REQUIRE(drawn.height == kHeight);
    REQUIRE(drawn.width == 3 * kWidth + 2 * kPanelGap);
    Tensor mask({1, kHeight, kWidth, 1}, DType::u8);
    data.masks.read(kShown[i], mask);
    int ones = 0;
    for (std::int64_t r = 0; r < kHeight; ++r)
      for (std::int64_t c = 0; c < kWidth; ++c) {
        const std::uint8_t label =
            mask.values<std::uint8_t>()[static_cast<std::size_t>(r * kWidth + c)];
        ones += label;
        REQUIRE(drawn.at(r, kWidth + kPanelGap + c) == class_colour(label));
        REQUIRE(drawn.at(r, 2 * (kWidth + kPanelGap) + c) == class_colour(label));
        CHECK((drawn.at(r, c) == Colour{255, 255, 255}) == (label == 1));
      }
    CHECK(ones == 12);
  }
}

TEST_CASE("what is taken for another class is drawn so") {
  Blocks data;
  const TemporaryFolder folder;
  TrainerOptions o = slow(1);
  o.loader.masks = &data.masks;
  o.start = pixelwise_weights("logit", -100, 40);
  o.events_folder = folder / "events";
  train_network(pixelwise("logit"),
                {{.kind = LossKind::binary_cross_entropy, .target = LossTarget::masks}},
                data.images, kTrain, kHeldOut, o);
  const auto pictures = with_tag(told_in(o.events_folder), "masks/sample 2");
  REQUIRE(pictures.size() == 1);
  const DrawnPicture drawn = read_palette_png(pictures[0].png);
  for (std::int64_t r = 0; r < kHeight; ++r)
    for (std::int64_t c = 0; c < kWidth; ++c)
      CHECK(drawn.at(r, kWidth + kPanelGap + c) != drawn.at(r, 2 * (kWidth + kPanelGap) + c));
}

TEST_CASE("an image that comes back as it was leaves a black difference") {
  Blocks data;
  const TemporaryFolder folder;
  TrainerOptions o = slow(1);
  o.start = pixelwise_weights("again", 1, 0);
  o.events_folder = folder / "events";
  const auto told_of = [&](const TrainerOptions& options) {
    train_network(pixelwise("again"), {{.kind = LossKind::mse, .target = LossTarget::image}},
                  data.images, kTrain, kHeldOut, options);
    return told_in(options.events_folder);
  };
  const std::vector<Told> told = told_of(o);
  REQUIRE(picture_tags(told).size() == 4);
  CHECK(picture_tags(told).contains("images/sample 4"));
  const DrawnPicture drawn = read_palette_png(with_tag(told, "images/sample 1")[0].png);
  REQUIRE(drawn.width == 3 * kWidth + 2 * kPanelGap);
  bool bright = false;
  for (std::int64_t r = 0; r < kHeight; ++r)
    for (std::int64_t c = 0; c < kWidth; ++c) {
      bright = bright || drawn.at(r, c) == Colour{255, 255, 255};
      CHECK(drawn.at(r, kWidth + kPanelGap + c) == drawn.at(r, c));
      CHECK(drawn.at(r, 2 * (kWidth + kPanelGap) + c) == Colour{0, 0, 0});
    }
  CHECK(bright);

  // Where the training is to undo a change, what it should give is shown too.
  TrainerOptions undo = o;
  undo.events_folder = folder / "undo";
  undo.judged_change =
      undo.loader.change = {.name = "dark",
                            .apply =
                                [](const Sample& sample, Random&) {
                                  for (std::int64_t p = 0; p < kHeight * kWidth; ++p) {
                                    sample.target.as<float>()[p] = sample.image.as<float>()[p];
                                    sample.weight.as<float>()[p] = 1;
                                    if (p < kWidth) sample.image.as<float>()[p] = -0.25f;
                                  }
                                },
                            .makes_targets = true};
  const DrawnPicture four = read_palette_png(with_tag(told_of(undo), "images/sample 1")[0].png);
  REQUIRE(four.width == 4 * kWidth + 3 * kPanelGap);
  for (std::int64_t r = 0; r < kHeight; ++r)
    for (std::int64_t c = 0; c < kWidth; ++c) {
      const auto panel = [&](std::int64_t i) { return four.at(r, i * (kWidth + kPanelGap) + c); };
      CHECK(panel(2) == panel(0));
      CHECK((panel(3) == Colour{0, 0, 0}) == (r > 0));
      if (r > 0) CHECK(panel(1) == panel(0));
    }
}

TEST_CASE("samples that show something are shown, spread over all") {
  Blocks data;
  CHECK(pictured_samples(kHeldOut, data.images, &data.masks) == kShown);
  CHECK(pictured_samples(kHeldOut, data.images, nullptr) == kShown);
  // The blocks of others, and then what there is.
  using Indices = std::vector<std::int64_t>;
  CHECK(pictured_samples({2, 5, 8, 10, 11, 14}, data.images, &data.masks) == Indices{10, 2, 5, 11});
  CHECK(pictured_samples({2, 5}, data.images, nullptr) == Indices{2, 5});
  CHECK(pictured_samples({}, data.images, nullptr).empty());
}

TEST_CASE("pictures are made of the first, the last and not too many epochs between") {
  for (const std::int64_t epochs : {1, 2, 49, 50, 51, 100, 101, 999}) {
    std::int64_t pictured = 0;
    for (std::int64_t e = 0; e < epochs; ++e) pictured += is_pictured(e, epochs, false);
    INFO(epochs << " epochs, " << pictured << " pictured");
    CHECK(is_pictured(0, epochs, false));
    CHECK(is_pictured(epochs - 1, epochs, false));
    CHECK(pictured <= kPicturedEpochs + 1);
    CHECK(pictured >= std::min(epochs, kPicturedEpochs / 2));
    CHECK(is_pictured(epochs / 2, epochs, true));
  }
}
