// Patches of volumes: where they lie, what they hold, and that nothing else decides it.
#include "../../train/patch_sampler.h"

#include <algorithm>
#include <map>
#include <set>

#include "../../core/random.h"
#include "../catch.h"

using namespace ratnet;

namespace {

// Every voxel's value tells its volume, place and channel.
LabelledVolume numbered(const Shape& mask_shape, std::int64_t channels, int number) {
  Shape shape = mask_shape;
  shape.push_back(channels);
  LabelledVolume volume{Tensor(shape, DType::f32), Tensor(mask_shape, DType::u8)};
  for (std::size_t i = 0; i < volume.image.values<float>().size(); ++i)
    volume.image.values<float>()[i] =
        static_cast<float>(100000 * (number + 1) + static_cast<int>(i));
  return volume;
}

void label(LabelledVolume& volume, std::initializer_list<std::size_t> voxels, std::uint8_t label) {
  for (const std::size_t voxel : voxels) volume.mask.values<std::uint8_t>()[voxel] = label;
}

std::vector<LabelledVolume> three_volumes() {
  std::vector<LabelledVolume> volumes;
  volumes.push_back(numbered({5, 7, 11}, 2, 0));
  volumes.push_back(numbered({2, 4, 3}, 2, 1));
  volumes.push_back(numbered({9, 8, 10}, 2, 2));
  label(volumes[0], {0, 100, 384}, 1);
  label(volumes[0], {200}, 255);
  label(volumes[2], {5, 6, 7, 8, 9, 300}, 1);
  label(volumes[2], {719}, 7);
  return volumes;
}

struct Filled {
  Tensor images, masks;
};

Filled fill(const PatchSampler& sampler, std::int64_t epoch, std::int64_t index, std::int64_t n,
            int threads = 1) {
  const auto batch = [&](const Shape& one) {
    Shape shape{n};
    for (const std::int64_t size : one.sizes()) shape.push_back(size);
    return shape;
  };
  Filled filled{Tensor(batch(sampler.image_shape()), DType::f32),
                Tensor(batch(sampler.mask_shape()), DType::u8)};
  ThreadPool pool(threads);
  sampler.fill(pool, epoch, index, filled.images, filled.masks);
  return filled;
}

}  // namespace

TEST_CASE("a label index lists every voxel, and of many an even sample") {
  Tensor mask({10, 100, 100}, DType::u8);
  auto labels = mask.values<std::uint8_t>();
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = i % 3 == 0 ? std::uint8_t{2} : i % 5000 == 1 ? std::uint8_t{9} : std::uint8_t{0};
  labels[4] = 255;
  const LabelIndex index(mask, 1000, 1, 255);
  CHECK(std::ranges::equal(index.labels(), std::vector<std::uint8_t>{2, 9}));
  CHECK(index.count(2) == 33334);
  REQUIRE(index.voxels(2).size() == 1000);
  std::vector<std::int64_t> rare;
  for (std::int64_t i = 0; i < 100000; ++i)
    if (labels[static_cast<std::size_t>(i)] == 9) rare.push_back(i);
  CHECK(!rare.empty());
  CHECK(std::ranges::equal(index.voxels(9), rare));
  CHECK(index.voxels(255).empty());
  CHECK(index.voxels(0).empty());
  CHECK(std::ranges::is_sorted(index.voxels(2)));
  for (const std::int64_t voxel : index.voxels(2))
    CHECK(labels[static_cast<std::size_t>(voxel)] == 2);
  CHECK(std::ranges::equal(index.voxels(2), LabelIndex(mask, 1000, 1, 255).voxels(2)));
  CHECK(!std::ranges::equal(index.voxels(2), LabelIndex(mask, 1000, 2, 255).voxels(2)));
  CHECK_THROWS_AS(LabelIndex(mask, 0, 1, 255), Error);

  // Every voxel is kept as often as the others: 7 of 11, over many seeds.
  Tensor few({11}, DType::u8);
  std::ranges::fill(few.values<std::uint8_t>(), std::uint8_t{1});
  std::vector<int> kept(11);
  const int seeds = 4000;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const LabelIndex some(few, 7, seed, 255);
    for (const std::int64_t voxel : some.voxels(1)) ++kept[static_cast<std::size_t>(voxel)];
  }
  for (const int times : kept) CHECK(std::abs(times - seeds * 7 / 11) < 160);
}

TEST_CASE("patches hold what lies at their place, padded with the constant and `ignore`") {
  const std::vector<LabelledVolume> volumes = three_volumes();
  const std::vector<std::int64_t> size =
      GENERATE(std::vector<std::int64_t>{3, 4, 5}, std::vector<std::int64_t>{1, 1, 1},
               std::vector<std::int64_t>{4, 9, 4}, std::vector<std::int64_t>{12, 12, 12},
               std::vector<std::int64_t>{3, 5}, std::vector<std::int64_t>{8, 2});
  const PatchSampler sampler(three_volumes(), {.size = size, .outside = -5, .ignore = 255});
  const std::int64_t n = 40;
  const Filled filled = fill(sampler, 1, 3, n);
  const Size3 axes = three_axes("test", size);
  std::size_t at = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const PatchSampler::Place place = sampler.place(1, 3 + i);
    const LabelledVolume& volume = volumes[static_cast<std::size_t>(place.volume)];
    const ImageGrid grid = image_grid("test", volume.image);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::int64_t room = grid.size[axis] - axes[axis];
      if (room >= 0)
        REQUIRE((place.first[axis] >= 0 && place.first[axis] <= room));
      else
        REQUIRE(place.first[axis] == -(-room / 2));
    }
    for (std::int64_t d = 0; d < axes[0]; ++d)
      for (std::int64_t h = 0; h < axes[1]; ++h)
        for (std::int64_t w = 0; w < axes[2]; ++w, ++at) {
          const std::int64_t z = place.first[0] + d, y = place.first[1] + h, x = place.first[2] + w;
          const bool inside = z >= 0 && z < grid.size[0] && y >= 0 && y < grid.size[1] && x >= 0 &&
                              x < grid.size[2];
          const auto voxel = inside ? static_cast<std::size_t>(grid.at(z, y, x)) : 0;
          for (std::size_t c = 0; c < 2; ++c)
            REQUIRE(filled.images.values<float>()[at * 2 + c] ==
                    (inside ? volume.image.values<float>()[voxel * 2 + c] : -5));
          REQUIRE(filled.masks.values<std::uint8_t>()[at] ==
                  (inside ? volume.mask.values<std::uint8_t>()[voxel] : 255));
        }
  }
}

TEST_CASE("patches depend on seed, epoch and index alone") {
  const PatchOptions options{.size = {3, 4, 5}, .seed = 5};
  const PatchSampler sampler(three_volumes(), options);
  const Filled all = fill(sampler, 2, 0, 23, 3);
  const Filled some = fill(sampler, 2, 7, 5, 1);
  const std::size_t one = 3 * 4 * 5;
  CHECK(std::equal(some.images.values<float>().begin(), some.images.values<float>().end(),
                   all.images.values<float>().begin() + 7 * one * 2));
  CHECK(std::equal(some.masks.values<std::uint8_t>().begin(),
                   some.masks.values<std::uint8_t>().end(),
                   all.masks.values<std::uint8_t>().begin() + 7 * one));
  const auto places = [](const PatchSampler& from, std::int64_t epoch) {
    std::vector<Size3> found;
    for (std::int64_t i = 0; i < 20; ++i) found.push_back(from.place(epoch, i).first);
    return found;
  };
  CHECK(places(sampler, 0) != places(sampler, 1));
  PatchOptions other = options;
  other.seed = 6;
  CHECK(places(sampler, 0) != places(PatchSampler(three_volumes(), other), 0));
}

TEST_CASE("the stated share is centred on labelled voxels, every label as often") {
  const PatchSampler sampler(three_volumes(), {.size = {1, 1, 1}, .labelled = 0.25});
  const std::vector<LabelledVolume> volumes = three_volumes();
  std::map<int, int> by_label;
  std::map<std::pair<std::int64_t, std::int64_t>, int> by_voxel;
  int labelled = 0;
  const int draws = 8000;
  for (int i = 0; i < draws; ++i) {
    const PatchSampler::Place place = sampler.place(0, i);
    if (i % 4 != 3) continue;
    ++labelled;
    const LabelledVolume& volume = volumes[static_cast<std::size_t>(place.volume)];
    const std::int64_t voxel =
        image_grid("test", volume.image).at(place.first[0], place.first[1], place.first[2]);
    ++by_label[volume.mask.values<std::uint8_t>()[static_cast<std::size_t>(voxel)]];
    ++by_voxel[{place.volume, voxel}];
  }
  CHECK(by_label.size() == 2);
  CHECK(std::abs(by_label[1] - labelled / 2) < 100);
  CHECK(std::abs(by_label[7] - labelled / 2) < 100);
  CHECK(by_voxel.size() == 10);  // all of them
  CHECK(std::abs(by_voxel[{0, 100}] - labelled / 2 / 2 / 3) < 60);
  CHECK(std::abs(by_voxel[{2, 300}] - labelled / 2 / 2 / 6) < 45);
}

TEST_CASE("other patches lie anywhere, every place as likely") {
  std::vector<LabelledVolume> volumes;
  volumes.push_back(numbered({4, 6}, 1, 0));
  const PatchSampler sampler(std::move(volumes), {.size = {2, 3}, .labelled = 0});
  CHECK(sampler.image_shape() == Shape{2, 3, 1});
  std::map<Size3, int> found;
  for (int i = 0; i < 6000; ++i) ++found[sampler.place(0, i).first];
  REQUIRE(found.size() == 12);
  for (const auto& [place, times] : found) CHECK(std::abs(times - 500) < 100);
}

TEST_CASE("a labelled voxel is in the middle, or as near as the border lets it") {
  for (const std::size_t voxel :
       {std::size_t{0}, std::size_t{4 * 63 + 4 * 9 + 4}, std::size_t{60}}) {
    std::vector<LabelledVolume> volumes;
    volumes.push_back(numbered({9, 7, 9}, 1, 0));
    label(volumes[0], {voxel}, 3);
    const PatchSampler sampler(std::move(volumes), {.size = {3, 2, 5}, .labelled = 1});
    const auto v = static_cast<std::int64_t>(voxel);
    const Size3 middle{v / 63, v / 9 % 7, v % 9}, size{3, 2, 5}, all{9, 7, 9};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const std::int64_t wanted = middle[axis] - size[axis] / 2;
      CHECK(sampler.place(0, 0).first[axis] ==
            std::min(std::max<std::int64_t>(wanted, 0), all[axis] - size[axis]));
    }
  }
}

TEST_CASE("volumes may come from a reader, which must not change its mind") {
  const auto volumes = std::make_shared<std::vector<LabelledVolume>>(three_volumes());
  const VolumeReader read = [volumes](std::int64_t n) {
    return std::shared_ptr<const LabelledVolume>(volumes, &(*volumes)[static_cast<std::size_t>(n)]);
  };
  const PatchOptions options{.size = {3, 4, 5}};
  const PatchSampler sampler(3, read, options);
  const Filled from_reader = fill(sampler, 0, 0, 9);
  const Filled in_memory = fill(PatchSampler(three_volumes(), options), 0, 0, 9);
  CHECK(std::ranges::equal(from_reader.images.values<float>(), in_memory.images.values<float>()));
  for (LabelledVolume& volume : *volumes) volume = numbered({3, 3, 3}, 2, 0);
  CHECK_THROWS_AS(fill(sampler, 0, 0, 1), Error);
}

TEST_CASE("patches that cannot be taken are refused") {
  const auto make = [](PatchOptions options) { PatchSampler(three_volumes(), options); };
  CHECK_THROWS_AS(make({.size = {3}}), Error);
  CHECK_THROWS_AS(make({.size = {3, 0, 3}}), Error);
  CHECK_THROWS_AS(make({.size = {3, 3}, .labelled = 1.5}), Error);
  CHECK_THROWS_AS(make({.size = {3, 3}, .most_voxels = 0}), Error);
  CHECK_THROWS_AS(PatchSampler(std::vector<LabelledVolume>{}, {.size = {3, 3}}), Error);
  std::vector<LabelledVolume> plain, flat, mixed;
  plain.push_back(numbered({5, 5, 5}, 1, 0));
  CHECK_THROWS_AS(PatchSampler(std::move(plain), {.size = {3, 3, 3}}), Error);  // no label
  flat.push_back(numbered({5, 5}, 1, 0));
  CHECK_THROWS_AS(PatchSampler(std::move(flat), {.size = {1, 3, 3}, .labelled = 0}), Error);
  mixed.push_back(numbered({5, 5}, 1, 0));
  mixed.push_back(numbered({5, 5}, 2, 0));
  CHECK_THROWS_AS(PatchSampler(std::move(mixed), {.size = {3, 3}, .labelled = 0}), Error);
  const PatchSampler sampler(three_volumes(), {.size = {3, 3}});
  ThreadPool pool(1);
  Tensor images({2, 3, 3, 2}, DType::f32), masks({2, 3, 3}, DType::u8), wrong({1, 3, 3}, DType::u8);
  sampler.fill(pool, 0, 0, images, masks);
  CHECK_THROWS_AS(sampler.fill(pool, 0, 0, images, wrong), Error);
  CHECK_THROWS_AS(sampler.fill(pool, 0, 0, masks, masks), Error);
  CHECK_THROWS_AS(sampler.fill(pool, -1, 0, images, masks), Error);
}
