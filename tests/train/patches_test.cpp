// Patches of images: drawn by the loader, and whole images judged by what a network says of them.
#include "../../train/patches.h"

#include <map>

#include "../../train/judge.h"
#include "../network/temporary_folder.h"
#include "small_training.h"
#include "written_checkpoint.h"

using namespace ratnet;
using namespace ratnet::testing;

namespace {

constexpr std::int64_t kN = 6;

std::vector<std::int64_t> all_images() { return {0, 1, 2, 3, 4, 5}; }

// u16 [6, sizes..., 1], every pixel of all images another number from 1; masks [.., 1] u8 with the
// number's last two digits where these are below `labels`, else 0.
struct Numbered {
  TensorDataset images, masks;
  static Tensor counted(const Shape& shape, int labels) {
    Tensor all(shape, labels ? DType::u8 : DType::u16);
    for (std::int64_t i = 0; i < all.count(); ++i) {
      const std::int64_t number = i + 1;
      if (labels)
        all.values<std::uint8_t>()[static_cast<std::size_t>(i)] =
            static_cast<std::uint8_t>(number % 100 < labels ? number % 100 : 0);
      else
        all.values<std::uint16_t>()[static_cast<std::size_t>(i)] =
            static_cast<std::uint16_t>(number);
    }
    return all;
  }
  explicit Numbered(const Shape& shape, int labels = 3)
      : images(counted(shape, 0), {}), masks(counted(shape, labels), {}) {}
};

struct Drawn {
  std::int64_t image;
  std::vector<float> pixels;
  std::vector<std::uint8_t> mask;
  bool operator==(const Drawn&) const = default;
};

std::vector<Drawn> draw(Numbered& data, const LoaderOptions& options, int epochs = 1) {
  Loader loader(data.images, all_images(), options);
  std::vector<Drawn> all;
  for (std::int64_t b = 0; b < epochs * loader.batches_per_epoch(); ++b) {
    const Batch& batch = loader.next();
    const std::int64_t pixels = batch.masks.count() / batch.count;
    for (std::int64_t i = 0; i < batch.count; ++i) {
      const auto* image = batch.images.as<float>() + i * pixels;
      const auto* mask = batch.masks.as<std::uint8_t>() + i * pixels;
      all.push_back({batch.indices[static_cast<std::size_t>(i)],
                     {image, image + pixels},
                     {mask, mask + pixels}});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("patches are read from their file's member, and bad ones are refused") {
  CHECK(patches_from_json("{}").per_image == 1);
  CHECK_FALSE(patches_from_json("{}").labelled.has_value());
  const Patches read = patches_from_json(R"({"per_image": 8, "labelled": 0.25})");
  CHECK(read.per_image == 8);
  CHECK(read.labelled == 0.25);
  CHECK(to_json(read) == R"({"labelled":0.25,"per_image":8})");
  CHECK(Patches().labelled_share(true) == Approx(1.0 / 3));
  CHECK(Patches().labelled_share(false) == 0);
  for (const char* bad :
       {"8", "[]", "", R"({"per_image": 0})", R"({"per_image": 1.5})", R"({"per_image": 1e300})",
        R"({"per_image": 4097})", R"({"per_image": "8"})", R"({"labelled": -0.1})",
        R"({"labelled": 1.01})", R"({"labelled": null})", R"({"size": [8, 8]})"}) {
    INFO(bad);
    CHECK(refused(ErrorKind::input, "patches", [&] { patches_from_json(bad); }) == "");
  }
}

TEST_CASE("a loader of patches cuts as many of every image as are asked for, with their masks") {
  struct Case {
    Shape images;
    std::vector<std::int64_t> size;
  };
  for (const Case& c : {Case{{kN, 9, 11, 1}, {4, 5}}, Case{{kN, 5, 6, 7, 1}, {3, 4, 2}},
                        Case{{kN, 5, 6, 7, 1}, {4, 3}}, Case{{kN, 3, 12, 1}, {5, 4}}}) {
    INFO(c.images << " by " << Shape(c.size));
    Numbered data(c.images);
    const std::int64_t rank = c.images.rank();
    const std::int64_t h = c.images[static_cast<int>(rank - 3)], w = c.images[rank - 2];
    const std::int64_t d = rank == 5 ? c.images[1] : 1;
    const std::int64_t deep = c.size.size() == 3 ? c.size[0] : 1;
    const std::int64_t rows = c.size[c.size.size() - 2], columns = c.size.back();
    LoaderOptions o{.batch = 4, .seed = 5, .patches = {c.size, 3, 0.5}, .masks = &data.masks};
    const std::vector<Drawn> drawn = draw(data, o, 2);
    CHECK(drawn.size() == 2 * 3 * kN);
    std::map<std::int64_t, int> of_image;
    std::map<std::vector<float>, int> seen;
    for (const Drawn& one : drawn) {
      ++of_image[one.image];
      ++seen[one.pixels];
      // The first pixel that is inside says where the patch lies.
      std::size_t in = 0;
      while (one.pixels[in] == 0) ++in;
      const auto at = static_cast<std::int64_t>(in);
      const std::int64_t number =
          static_cast<std::int64_t>(one.pixels[in]) - 1 - one.image * d * h * w;
      const std::int64_t first_d = number / (h * w) - at / (rows * columns),
                         first_h = number / w % h - at / columns % rows,
                         first_w = number % w - at % columns;
      CHECK((h >= rows ? first_h >= 0 && first_h + rows <= h : first_h == -((rows - h) / 2)));
      bool same = true;
      for (std::int64_t p = 0; p < deep * rows * columns; ++p) {
        const std::int64_t z = first_d + p / (rows * columns), y = first_h + p / columns % rows,
                           x = first_w + p % columns;
        const bool inside = z >= 0 && z < d && y >= 0 && y < h && x >= 0 && x < w;
        const std::int64_t expected = inside ? ((one.image * d + z) * h + y) * w + x + 1 : 0;
        const std::int64_t label = !inside ? 255 : expected % 100 < 3 ? expected % 100 : 0;
        same &= one.pixels[static_cast<std::size_t>(p)] == static_cast<float>(expected) &&
                one.mask[static_cast<std::size_t>(p)] == label;
      }
      CHECK(same);
    }
    for (const auto& [image, count] : of_image) CHECK(count == 6);
    CHECK(seen.size() > 6);  // they lie in many places

    // Neither threads nor where images are kept matter.
    o.threads = 3;
    CHECK(draw(data, o, 2) == drawn);
    o.memory_budget = 0;
    o.window_bytes = 1;
    const auto by_patch = [](std::vector<Drawn> all) {
      std::ranges::sort(all, {}, [](const Drawn& one) { return std::pair(one.image, one.pixels); });
      return all;
    };
    CHECK(by_patch(draw(data, o, 2)) == by_patch(drawn));
  }
}

TEST_CASE("labelled patches have their share and are balanced over the labels of an image") {
  // In every 100 pixels one of 1, ..., one of 9, and image 0 alone has many more of 1.
  Numbered data({kN, 20, 30, 1}, 10);
  Tensor masks({kN, 20, 30, 1}, DType::u8);
  data.masks.read(0, masks.view());
  for (std::size_t p = 0; p < 300; ++p) masks.values<std::uint8_t>()[p] = 1;
  std::fill_n(masks.values<std::uint8_t>().begin() + 5 * 600, 600, 0);  // nothing in the last
  TensorDataset changed(std::move(masks), {});
  LoaderOptions o{.batch = 16, .patches = {{1, 1}, 64, 1.0}, .masks = &changed};
  std::map<std::int64_t, std::map<int, int>> labels;
  for (const Drawn& one : draw(data, o, 10)) ++labels[one.image][one.mask[0]];
  for (std::int64_t image = 0; image < 5; ++image) {
    CHECK(labels[image][0] == 0);
    for (int label = 1; label < 10; ++label) {
      INFO(image << " " << label);
      CHECK(labels[image][label] > 35);  // of 640, 71 on average
      CHECK(labels[image][label] < 120);
    }
  }
  CHECK(labels[5][0] == 640);
  // A share of the patches, also where an image gives one in an epoch, to every image in turn.
  o.patches = {{1, 1}, 1, 1.0 / 3};
  labels.clear();
  for (const Drawn& one : draw(data, o, 60)) ++labels[one.image][one.mask[0] > 0];
  for (std::int64_t image = 1; image < 5; ++image) CHECK(labels[image][1] >= 20);
  for (std::int64_t image = 1; image < 5; ++image) CHECK(labels[image][1] < 35);
}

TEST_CASE("patches that make no sense, and more than an epoch can have, are refused") {
  Numbered data({kN, 9, 11, 1});
  const auto with = [&](const Patches& patches, Dataset* masks) {
    return [&data, patches, masks] {
      Loader(data.images, all_images(), {.batch = 4, .patches = patches, .masks = masks});
    };
  };
  CHECK(refused(ErrorKind::input, "no masks are read", with({{4, 4}, 1, 0.5}, nullptr)) == "");
  CHECK(refused(ErrorKind::usage, "patches of 3 sizes", with({{1, 4, 4}, 1, 0}, nullptr)) == "");
  CHECK(refused(ErrorKind::usage, "at least 1", with({{0, 4}, 1, 0}, nullptr)) == "");
  CHECK(refused(ErrorKind::usage, "1 to 4096", with({{4, 4}, 5000, 0}, nullptr)) == "");
  CHECK(refused(ErrorKind::usage, "0 to 1", with({{4, 4}, 1, 2}, &data.masks)) == "");
  Loader enough(data.images, std::vector<std::int64_t>(4096, 0), {.patches = {{4, 4}, 4096, 0}});
  CHECK(enough.samples_per_epoch() == 1 << 24);
  CHECK(refused(ErrorKind::input, "are more than the 16777216", [&] {
          Loader(data.images, std::vector<std::int64_t>(4097, 0), {.patches = {{4, 4}, 4096, 0}});
        }) == "");
}

namespace {

// What a network of one pixel says does not depend on the patch that it is seen in.
Graph pointwise(const std::vector<std::int64_t>& sizes) {
  GraphBuilder b;
  const std::vector<std::int64_t> one(sizes.size() - 1, 1);
  const int image = b.input("image", sizes);
  const int logits = b.add("logits", layers::Conv{.out = 3, .kernel = one}, {image});
  const int p = b.add("probability", layers::Softmax{}, {logits});
  const int logit = b.add("logit", layers::Conv{.out = 1, .kernel = one}, {image});
  const int again = b.add("again", layers::Conv{.out = 1, .kernel = one}, {image});
  return b.build({logits, p, logit, again});
}

const Objective kAll = {
    {.kind = LossKind::cross_entropy, .output = "logits", .target = LossTarget::masks},
    {.kind = LossKind::dice, .output = "probability", .target = LossTarget::masks, .weight = 0.5},
    {.kind = LossKind::mse, .output = "again", .target = LossTarget::image, .weight = 2}};
Objective all_with(LossTerm term) {
  Objective all = kAll;
  all.push_back(std::move(term));
  return all;
}

Judgement judged(const Graph& graph, const Objective& objective, Numbered& data,
                 const Patches& patches, const WindowOptions& window = {}) {
  Judge judge(graph, std::make_shared<Parameters>(test_queue(), Weights::initialised(graph, 3)),
              objective, data.images,
              {.batch = patches ? std::int64_t{3} : std::int64_t{1},
               .patches = patches,
               .scales = {1e-3f},
               .masks = &data.masks},
              Precision::f32, window);
  return judge.run(all_images());
}

}  // namespace

TEST_CASE("patches judge whole images as a network that takes them whole does", "[device]") {
  // The reference is the same network without any patches. binary_cross_entropy takes masks of two
  // labels, so they hold 0 and 1 alone.
  const Objective objective = all_with({.kind = LossKind::binary_cross_entropy,
                                        .output = "logit",
                                        .target = LossTarget::masks,
                                        .weight = 0.25});
  struct Case {
    std::vector<std::int64_t> image, patch;
  };
  for (const Case& c : {Case{{17, 22, 1}, {8, 10, 1}}, Case{{5, 30, 1}, {8, 10, 1}},
                        Case{{7, 12, 9, 1}, {4, 6, 8, 1}}}) {
    INFO(Shape(c.image) << " by " << Shape(c.patch));
    Numbered data(Shape(c.image).batch_of(kN), 2);
    const Judgement whole = judged(pointwise(c.image), objective, data, {});
    const Patches patches{{c.patch.begin(), c.patch.end() - 1}};
    for (const WindowOptions& window :
         {WindowOptions{}, WindowOptions{0.25, {false, true, true}}}) {
      const Judgement pieces = judged(pointwise(c.patch), objective, data, patches, window);
      CHECK(pieces.loss == Approx(whole.loss).epsilon(1e-4));
      CHECK(pieces.dice == Approx(whole.dice));
      REQUIRE(pieces.overlap.size() == 3);
      for (std::size_t k = 0; k < 3; ++k) CHECK(pieces.overlap[k].both == whole.overlap[k].both);
    }
  }
}

TEST_CASE("what a judge of whole images will take is known before") {
  Numbered data({kN, 40, 30, 1}, 2);
  const Graph graph = pointwise({8, 10, 1}).up_to({"logits", "probability", "again"});
  const auto parameters = std::make_shared<Parameters>(
      open_queue({.device = {DeviceKind::cpu, 0}, .threads = 1, .executor = {}}),
      Weights::initialised(graph, 3));
  const LoaderOptions options{
      .batch = 3, .patches = {{8, 10}}, .scales = {1e-3f}, .masks = &data.masks};
  const Judge judge(graph, parameters, kAll, data.images, options);
  const std::size_t loaded = judge.loader_bytes(all_images());
  CHECK(loaded >= 2 * 40 * 30 * (sizeof(float) + 1));
  const std::size_t told = Judge::plan_bytes(graph, parameters, kAll, data.images, options);
  CHECK(told >= judge.bytes());
  CHECK(told <= judge.bytes() + loaded);
}

TEST_CASE("volumes judged slice by slice have the mean loss of their slices", "[device]") {
  const Objective objective = {
      kAll[0], kAll[2], {.kind = LossKind::l1, .output = "logit", .target = LossTarget::image}};
  Numbered volumes({kN, 5, 13, 16, 1}), slices({kN * 5, 13, 16, 1});
  const Graph graph = pointwise({13, 16, 1}).up_to({"logits", "logit", "again"});
  const Graph patch = pointwise({8, 8, 1}).up_to({"logits", "logit", "again"});
  Judge judge(graph, std::make_shared<Parameters>(test_queue(), Weights::initialised(graph, 3)),
              objective, slices.images, {.batch = 1, .scales = {1e-3f}, .masks = &slices.masks});
  std::vector<std::int64_t> all(kN * 5);
  std::iota(all.begin(), all.end(), 0);
  const Judgement one_by_one = judge.run(all);
  const Judgement pieces = judged(patch, objective, volumes, {{8, 8}});
  CHECK(pieces.samples == kN);
  CHECK(pieces.loss == Approx(one_by_one.loss).epsilon(1e-4));
  CHECK(pieces.dice == Approx(one_by_one.dice));
}

TEST_CASE("what patches say of a pixel is the mean of their probabilities, not of their logits") {
  // A line of 3 pixels under patches of 2: two patches see the middle one, each with another
  // neighbour. Two of the kernel's six weights are 1, in all ways, so that the logits differ.
  GraphBuilder b;
  const int image = b.input("image", {1, 2, 1});
  const int logits =
      b.add("logits", layers::Conv{.out = 2, .kernel = {1, 3}, .bias = false}, {image});
  const Graph graph = b.build({logits});
  Weights weights = Weights::initialised(graph, 1);
  Tensor& kernel = weights.find("logits/weight").value;
  std::ranges::fill(kernel.values<float>(), 0.0f);
  REQUIRE(kernel.shape().count() == 6);
  const Objective objective = {{.kind = LossKind::cross_entropy, .target = LossTarget::masks}};
  auto parameters = [&](std::size_t first, std::size_t second) {
    std::ranges::fill(kernel.values<float>(), 0.0f);
    kernel.values<float>()[first] = 1;
    kernel.values<float>()[second] = 1;
    return std::make_shared<Parameters>(test_queue(), weights);
  };
  const float pixels[] = {1, 2, 4};
  for (std::size_t first = 0; first < 6; ++first)
    for (std::size_t second = first + 1; second < 6; ++second) {
      Plan plan(graph, parameters(first, second), {.batch = 2});
      WholeImages whole(plan, objective, {1, 3, 1}, {.overlap = 0.5});
      std::vector<float> said(6), alone(8);
      const View made(said.data(), DType::f32, {1, 3, 2});
      whole.run({pixels, DType::f32, {1, 3, 1}}, {&made, 1});
      const float patches[] = {1, 2, 2, 4};
      const ConstView in(patches, DType::f32, {2, 1, 2, 1});
      const View out(alone.data(), DType::f32, {2, 1, 2, 2});
      plan.run({&in, 1}, {&out, 1});
      const auto p1 = [](const float* row) { return 1 / (1 + std::exp(row[0] - row[1])); };
      CHECK(p1(&said[0]) == Approx(p1(&alone[0])).epsilon(1e-5));
      CHECK(p1(&said[2]) == Approx((p1(&alone[2]) + p1(&alone[4])) / 2).epsilon(1e-5));
      CHECK(p1(&said[4]) == Approx(p1(&alone[6])).epsilon(1e-5));
    }
}

TEST_CASE("graphs and losses that have no patches are refused") {
  const auto check = [](const Graph& graph, const Objective& objective, const Shape& image) {
    return [=] { check_patches(graph, objective, image, "data.h5"); };
  };
  const Graph graph = pointwise({8, 8, 1});
  CHECK_NOTHROW(check(graph, kAll, {9, 20, 1})());
  CHECK_NOTHROW(check(graph, kAll, {5, 9, 20, 1})());
  const auto wrong = [&](const std::string& part, const Objective& objective, const Shape& image) {
    return refused(ErrorKind::input, part, check(graph, objective, image));
  };
  CHECK(wrong("data.h5: has images of [9, 20, 2]", kAll, {9, 20, 2}) == "");
  CHECK(wrong("of whole images: a patch has none", {{.output = "logits"}}, {9, 20, 1}) == "");
  CHECK(wrong("gaussian_kl", {{.kind = LossKind::gaussian_kl}}, {9, 20, 1}) == "");
  // What is only used and not judged may be smaller than a window.
  const Objective windows =
      all_with({.kind = LossKind::ssim, .output = "again", .target = LossTarget::image});
  CHECK_NOTHROW(check(graph, windows, {9, 20, 1})());
  CHECK_NOTHROW(check_windows(graph, windows, {5, 11, 20, 1}, "data.h5"));
  CHECK(refused(ErrorKind::input, "the window of 11", [&] {
          check_windows(graph, windows, {9, 20, 1}, "data.h5");
        }) == "");
  CHECK(refused(ErrorKind::input, "there are no patches",
                check(pointwise({4, 8, 8, 1}), kAll, {9, 20, 1})) == "");
  GraphBuilder b;
  const int image = b.input("image", {8, 8, 1});
  const int half = b.add("half", layers::MaxPool{.kernel = {2, 2}}, {image});
  CHECK(refused(ErrorKind::input, "'half' is [1, 4, 4, 1]",
                check(b.build({half}), {}, {9, 20, 1})) == "");
}

TEST_CASE("a training on patches resumes to the same bits, whatever the threads") {
  Numbered data({kN, 9, 14, 1});
  const Graph graph = pointwise({4, 4, 1}).up_to({"logits", "probability", "again"});
  TrainerOptions o;
  o.epochs = 3;
  o.threads = 1;
  o.loader = {.batch = 5, .seed = 4, .patches = {{4, 4}, 4, 0.5}, .scales = {1e-3f}};
  o.loader.masks = &data.masks;
  const std::vector<std::int64_t> train{0, 1, 2, 3}, validation{4, 5};
  const auto run = [&](std::int64_t until = 1000) {
    return train_network(graph, kAll, data.images, train, validation, o,
                         [=](const TrainingProgress& p) { return p.step < until; });
  };
  const TrainingResult undisturbed = run();
  CHECK(undisturbed.steps == 3 * 4);  // 16 patches an epoch
  CHECK(undisturbed.history.back().validation_loss < undisturbed.history[0].validation_loss);
  const auto check_same = [&](const TrainingResult& other) {
    for (const Weights::Entry& entry : undisturbed.weights.entries())
      CHECK(std::ranges::equal(entry.value.values<float>(),
                               other.weights.find(entry.name).value.values<float>()));
    CHECK(other.history.back().validation_loss == undisturbed.history.back().validation_loss);
  };
  o.threads = 2;
  o.loader.threads = 3;
  check_same(run());
  const TemporaryFolder folder;
  o.checkpoint_path = folder / "checkpoint";
  o.resume = true;
  CHECK(run(6).interrupted);
  const auto other = [&](const Patches& patches) {
    const Patches before = std::exchange(o.loader.patches, patches);
    const std::string why = refused(ErrorKind::input, "other data or options", [&] { run(); });
    o.loader.patches = before;
    return why;
  };
  CHECK(other({{4, 4}, 5, 0.5}) == "");
  CHECK(other({{4, 4}, 4, 0.25}) == "");
  check_same(run());
}
