#include "../../apps/dark_slices/brain_level.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "../../apps/dark_slices/simulator.h"
#include "../../core/error.h"
#include "../catch.h"
#include "../data.h"

using namespace ratnet;

namespace {

constexpr int kPixels = 64 * 64;

// Reads the run's slices as they are.
ReadSlice reader(const SimulatedRun& run) {
  return [&run](std::int64_t index, std::span<float> out) {
    std::copy_n(run.images.begin() + index * kPixels, kPixels, out.begin());
  };
}

float maximum(std::span<const float> slice) {
  return *std::max_element(slice.begin(), slice.end());
}

// The pixels of a .npy file of bytes, without reading its header.
std::vector<float> npy_bytes(const std::string& path, std::size_t count) {
  std::ifstream file(path, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(file)), {});
  REQUIRE(all.size() > count);
  std::vector<float> values;
  for (std::size_t i = all.size() - count; i < all.size(); ++i)
    values.push_back(static_cast<float>(static_cast<unsigned char>(all[i])));
  return values;
}

}  // namespace

TEST_CASE("the brain level of a run is that of its good slices, events or not") {
  for (int animal = 0; animal < 3; ++animal) {
    const SimulatedRun run = simulate_run({.volumes = 20, .events = 0.08}, 31, animal);
    const RunMeasures m = measure_run(20, 15, 64, 64, reader(run));
    REQUIRE(m.regions.size() == 15);
    REQUIRE(m.measures.size() == 300);
    std::vector<float> good;
    for (std::size_t i = 0; i < 300; ++i) {
      CHECK(m.measures[i].empty == (run.truth[i].state == SliceState::empty));
      if (run.truth[i].state == SliceState::good) good.push_back(m.measures[i].brain);
    }
    std::nth_element(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2),
                     good.end());
    CHECK(m.brain_level == Approx(good[good.size() / 2]).epsilon(0.08));
    // The region grows from the front of the brain to its back.
    const auto size = [&](std::size_t s) {
      return std::count(m.regions[s].brain.begin(), m.regions[s].brain.end(), 1);
    };
    CHECK(size(0) > 50);
    CHECK(size(9) > 2 * size(0));
    CHECK(size(9) < 900);
  }
}

TEST_CASE("one scale for loose slices stays put while more and more of them are dark") {
  // Good slices of several animals, then dark ones beside them.
  std::vector<std::vector<float>> good, dark;
  for (int animal = 0; animal < 6; ++animal) {
    SimulatedAnimal rat({.volumes = 20, .events = 0.2}, 41, animal);
    for (int v = 3; v < 20; ++v)
      for (int s = v % 3; s < 15; s += 3) {
        const SimulatedSlice slice = rat.slice(v, s);
        std::vector<float> image(slice.image.begin(), slice.image.end());
        if (slice.truth.state == SliceState::good)
          good.push_back(std::move(image));
        else if (slice.truth.state == SliceState::dark)
          dark.push_back(std::move(image));
      }
  }
  REQUIRE(good.size() > 150);
  REQUIRE(dark.size() > 40);
  const auto level = [&](std::size_t goods, std::size_t darks) {
    const auto read = [&](std::int64_t index, std::span<float> out) {
      const auto i = static_cast<std::size_t>(index);
      const auto& from = i < goods ? good[i * good.size() / goods] : dark[i - goods];
      std::copy(from.begin(), from.end(), out.begin());
    };
    const auto m = measure_loose(static_cast<std::int64_t>(goods + darks), 64, 64, read);
    CHECK_FALSE(m.stretched);
    return m.brain_level;
  };
  const double clean = level(good.size(), 0);
  CHECK(clean > 40);
  CHECK(level(good.size(), dark.size()) == Approx(clean).epsilon(0.06));
  CHECK(level(40, 40) == Approx(level(40, 0)).epsilon(0.08));
  CHECK(level(20, 40) == Approx(level(20, 0)).epsilon(0.12));
}

TEST_CASE("slices that were each stretched to their own maximum are recognised") {
  const SimulatedRun run = simulate_run({.volumes = 4}, 51, 2);
  const auto as_they_are = reader(run);
  for (const float top : {255.0f, 1.0f, 65535.0f}) {
    const auto stretched = [&](std::int64_t index, std::span<float> out) {
      as_they_are(index, out);
      const float most = std::max(1.0f, maximum(out));
      for (float& x : out) x *= top / most;
    };
    const LooseMeasures m = measure_loose(60, 64, 64, stretched);
    CHECK(m.stretched);
    // Each is brought to its own brain level, and an empty one to none.
    const auto scales = slice_scales(m);
    REQUIRE(scales.size() == 60);
    for (std::size_t i = 0; i < 60; ++i)
      CHECK(scales[i] == (m.measures[i].empty ? 0.0f : m.measures[i].brain));
  }
  const LooseMeasures m = measure_loose(60, 64, 64, as_they_are);
  CHECK_FALSE(m.stretched);
  for (std::size_t i = 0; i < 60; ++i)
    if (!m.measures[i].empty) CHECK(slice_scales(m)[i] == static_cast<float>(m.brain_level));
}

TEST_CASE("measures of empty, constant and negative slices are finite") {
  const BrainRegion region =
      find_brain(std::vector<float>(kPixels, 0.0f), 64, 64, RegionExtent::brain);
  const SliceMeasures empty = measure_slice(std::vector<float>(kPixels, 0.0f), region);
  CHECK(empty.empty);
  CHECK(empty.ghost == 0);
  std::vector<float> negative(kPixels, -3.0f);
  negative[7] = -4;
  const SliceMeasures m = measure_slice(negative, region);
  CHECK_FALSE(m.empty);
  CHECK(std::isfinite(m.ghost));
  CHECK(std::isfinite(m.brain));
  const auto nothing = [](std::int64_t, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0.0f);
  };
  CHECK(measure_loose(3, 64, 64, nothing).brain_level == 0);
  CHECK(measure_run(2, 3, 64, 64, nothing).brain_level == 0);
  CHECK_THROWS_AS(measure_loose(0, 64, 64, nothing), Error);
  CHECK_THROWS_AS(find_brain(std::vector<float>(10), 64, 64, RegionExtent::core), Error);
}

TEST_CASE("a ghost is seen along either axis, and its ratio does not depend on scale") {
  std::vector<float> slice(kPixels, 0.0f);
  for (int r = 0; r < 64; ++r)
    for (int c = 0; c < 64; ++c)
      if (std::hypot((r - 34) / 26.0, (c - 32) / 28.0) < 1)
        slice[static_cast<std::size_t>(r * 64 + c)] = 60;
  // Air that was set to zero is air all the same.
  const BrainRegion region = find_brain(slice, 64, 64, RegionExtent::core);
  CHECK(ghost_ratio(slice, region, 60) == Approx(0).margin(1e-6));
  std::vector<float> sideways = slice, upward = slice;
  for (int i = 0; i < 64; ++i)
    for (int k = 0; k < 3; ++k) {
      sideways[static_cast<std::size_t>(i * 64 + k)] = 15;
      sideways[static_cast<std::size_t>(i * 64 + 63 - k)] = 15;
      upward[static_cast<std::size_t>(k * 64 + i)] = 12;
    }
  CHECK(ghost_ratio(sideways, region, 60) == Approx(0.25).epsilon(0.02));
  CHECK(ghost_ratio(upward, region, 60) == Approx(0.20).epsilon(0.02));
  for (float& x : sideways) x *= 7;
  CHECK(ghost_ratio(sideways, region, 420) == Approx(0.25).epsilon(0.02));
}

TEST_CASE("rows of zeros around a resampled slice are not taken for air") {
  std::vector<float> slice(kPixels, 0.0f);
  for (int r = 24; r < 40; ++r)
    for (int c = 0; c < 64; ++c)
      slice[static_cast<std::size_t>(r * 64 + c)] = r >= 27 && c > 8 && c < 56 ? 60.0f : 3.0f;
  const BrainRegion region = find_brain(slice, 64, 64, RegionExtent::core);
  CHECK(region.first_row == 24);
  CHECK(region.last_row == 40);
  CHECK(region.first_column == 0);
  CHECK(region.last_column == 64);
  CHECK(ghost_ratio(slice, region, 60) == Approx(0.05).epsilon(0.02));
}

TEST_CASE("real awake-rat slices: stretched, hardly ghosted, the box inside the brain") {
  const std::string path = real_data("rodent/awake_rat_283_t44_slices.npy");
  if (path.empty()) {
    WARN("skipped: no real data");
    return;
  }
  const auto pixels = npy_bytes(path, 15 * kPixels);
  const auto read = [&](std::int64_t index, std::span<float> out) {
    std::copy_n(pixels.begin() + index * kPixels, kPixels, out.begin());
  };
  const LooseMeasures m = measure_loose(15, 64, 64, read);
  CHECK(m.stretched);
  for (const SliceMeasures& s : m.measures) {
    CHECK(s.ghost < 0.18f);
    CHECK(s.brain > 1.1f * s.mean);
  }
  // Row 9 to 18, around the middle: inside the brain in every one of the slices.
  for (int r = 0; r < 64; ++r)
    for (int c = 0; c < 64; ++c)
      if (m.region.brain[static_cast<std::size_t>(r * 64 + c)]) {
        CHECK((r >= 8 && r <= 20));
        CHECK((c >= 24 && c <= 39));
      }
}
