#include "../../apps/dark_slices/simulator.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <set>

#include "../../apps/dark_slices/acquisition.h"
#include "../../apps/dark_slices/cohort.h"
#include "../../apps/dark_slices/fft.h"
#include "../catch.h"

using namespace ratnet;

namespace {

// A disc in the middle of an empty field of view.
std::vector<float> disc(int size, double radius) {
  std::vector<float> image;
  for (int r = 0; r < size; ++r)
    for (int c = 0; c < size; ++c)
      image.push_back(std::hypot(r - size / 2, c - size / 2) < radius ? 100.0f : 0.0f);
  return image;
}

double energy(const std::vector<float>& image) {
  double sum = 0;
  for (const float x : image) sum += static_cast<double>(x) * static_cast<double>(x);
  return sum;
}

}  // namespace

TEST_CASE("the Fourier transform agrees with its definition and is inverted") {
  for (const int n : {1, 2, 6, 7, 15, 64, 80, 96, 112, 121}) {
    Random random(5, static_cast<std::uint64_t>(n));
    std::vector<std::complex<float>> x(static_cast<std::size_t>(n));
    for (auto& v : x)
      v = {static_cast<float>(random.normal()), static_cast<float>(random.normal())};
    auto y = x;
    Fft fft(n);
    fft.forward(y);
    double worst = 0;
    for (int k = 0; k < n; ++k) {
      std::complex<double> sum = 0;
      for (int i = 0; i < n; ++i)
        sum += std::complex<double>(x[static_cast<std::size_t>(i)]) *
               std::polar(1.0, -2 * std::numbers::pi * i * k / n);
      worst = std::max(worst, std::abs(sum - std::complex<double>(y[static_cast<std::size_t>(k)])));
    }
    CHECK(worst < 1e-4);
    fft.inverse(y);
    worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      worst = std::max(worst, static_cast<double>(std::abs(x[i] - y[i])));
    CHECK(worst < 1e-5);
  }
  CHECK_THROWS_AS(Fft(0), Error);
}

TEST_CASE("an undisturbed scan without noise gives the object back") {
  const auto object = disc(64, 12);
  Random random(1);
  const auto seen = acquire(object, 64, PhaseEncodeAxis::left_right, undisturbed(4, 64), 0, random);
  for (std::size_t i = 0; i < object.size(); ++i) REQUIRE(std::abs(seen[i] - object[i]) < 0.01f);
}

TEST_CASE("a lost shot ghosts by a quarter of the field of view along phase encoding only") {
  const auto object = disc(64, 6);
  for (const auto axis : {PhaseEncodeAxis::left_right, PhaseEncodeAxis::dorso_ventral}) {
    ShotErrors errors = undisturbed(4, 64);
    std::fill(errors.shots[1].gain.begin(), errors.shots[1].gain.end(), 0.0f);
    Random random(1);
    const auto seen = acquire(object, 64, axis, errors, 0, random);
    const auto at = [&](int along, int across) {
      const int r = axis == PhaseEncodeAxis::left_right ? across : along;
      const int c = axis == PhaseEncodeAxis::left_right ? along : across;
      return seen[static_cast<std::size_t>(r * 64 + c)];
    };
    CHECK(at(32, 32) == Approx(75).margin(0.1));  // three shots of four are left
    for (const int ghost : {0, 16, 48}) CHECK(at(ghost, 32) == Approx(25).margin(0.1));
    CHECK(at(32, 16) == Approx(0).margin(0.1));
    CHECK(at(24, 32) == Approx(0).margin(0.1));
    // Parseval: a quarter of the energy is gone, more or less what the shots share evenly.
    CHECK(energy(seen) == Approx(0.75 * energy(object)).epsilon(0.01));
  }
}

TEST_CASE("dimming all shots alike makes no ghost; losing the centre of k-space dims") {
  const auto object = disc(64, 8);
  Random random(1);
  ShotErrors errors = undisturbed(4, 64);
  add_dimming(errors, 0.4);
  auto seen = acquire(object, 64, PhaseEncodeAxis::left_right, errors, 0, random);
  CHECK(seen[32 * 64 + 32] == Approx(40).margin(0.05));
  CHECK(seen[32 * 64 + 2] == Approx(0).margin(0.05));

  errors = undisturbed(4, 64);
  errors.centre_loss = 0.9f;
  errors.centre_width = 4;
  seen = acquire(object, 64, PhaseEncodeAxis::left_right, errors, 0, random);
  CHECK(seen[32 * 64 + 32] < 50);
}

TEST_CASE("noise is Rician: its mean in air is 1.25 standard deviations") {
  const std::vector<float> nothing(64 * 64, 0.0f);
  Random random(3);
  const auto seen =
      acquire(nothing, 64, PhaseEncodeAxis::left_right, undisturbed(4, 64), 2, random);
  double mean = 0;
  for (const float x : seen) mean += static_cast<double>(x) / 4096;
  CHECK(mean == Approx(2 * std::sqrt(std::numbers::pi / 2)).epsilon(0.03));
}

TEST_CASE("events take the share asked for, in bursts, and follow interleaved acquisition") {
  CHECK(interleaved_order(7) == std::vector<int>{0, 2, 4, 6, 1, 3, 5});
  for (const double share : {0.01, 0.05, 0.2}) {
    Random random(9);
    const auto events = draw_events(random, 100, 15, share, 2.5);
    const auto dark =
        std::count_if(events.begin(), events.end(), [](const SliceEvent& e) { return e.dropout; });
    CHECK(static_cast<double>(dark) == Approx(share * 1500).margin(3));
    for (const SliceEvent& e : events)
      if (e.dropout) {
        CHECK(e.severity >= 0.3f);
        CHECK(e.severity <= 1.0f);
      }
  }
  Random random(9);
  CHECK_THROWS_AS(draw_events(random, 10, 15, 0.9, 2.5), Error);
}

TEST_CASE("a simulated run keeps the rules of its labels") {
  const SimulatorOptions options{.volumes = 30, .events = 0.06};
  int good = 0, dark = 0, air_bright = 0;
  for (int animal = 0; animal < 4; ++animal) {
    const SimulatedRun run = simulate_run(options, 21, animal);
    REQUIRE(run.images.size() == 30u * 15 * 64 * 64);
    REQUIRE(run.truth.size() == 30u * 15);
    CHECK(run.geometry.pixel() == Approx(0.5));
    for (std::size_t i = 0; i < run.truth.size(); ++i) {
      const SliceTruth& t = run.truth[i];
      if (t.state == SliceState::good) {
        ++good;
        CHECK_FALSE(t.event);
        CHECK(t.level > 0.90f);
        CHECK(t.ghost < 0.18f);
        CHECK(t.brain_error < 0.2f);
        CHECK(t.label() == 0);
        air_bright += t.ghost > 0.15f;
      } else if (t.state == SliceState::dark) {
        ++dark;
        CHECK(t.event);
        CHECK((t.level < 0.85f || t.ghost > 0.23f));
        CHECK(t.label() == 1);
        CHECK(t.clear() == (t.ghost > 0.25f || t.level < 0.6f));
      } else {
        CHECK(t.label() == 255);
        CHECK_FALSE(t.clear());
      }
    }
  }
  CHECK(good > 1000);
  CHECK(dark > 40);
  CHECK(air_bright < good / 10);  // no dropout, hardly a ghost
}

TEST_CASE("padding slices are all zero and called empty, and nothing else is") {
  const SimulatorOptions options{.volumes = 2, .slices = 6};
  int padded = 0;
  for (int animal = 0; animal < 40; ++animal) {
    SimulatedAnimal rat(options, 4, animal);
    if (!rat.is_padding(5)) continue;
    ++padded;
    for (int s = 0; s < 6; ++s) {
      const SimulatedSlice slice = rat.slice(1, s);
      const bool zero = std::all_of(slice.image.begin(), slice.image.end(),
                                    [](std::uint8_t x) { return x == 0; });
      CHECK(zero == rat.is_padding(s));
      CHECK((slice.truth.state == SliceState::empty) == rat.is_padding(s));
    }
  }
  CHECK(padded >= 1);
  CHECK(padded <= 12);
}

TEST_CASE("slices do not depend on the order in which they are made") {
  const SimulatorOptions options{.volumes = 3};
  const SimulatedRun run = simulate_run(options, 8, 1);
  SimulatedAnimal rat(options, 8, 1);
  for (const auto& [v, s] : {std::pair{2, 11}, std::pair{0, 3}, std::pair{2, 0}}) {
    const SimulatedSlice slice = rat.slice(v, s);
    const auto* in_run = run.images.data() + (v * 15 + s) * 64 * 64;
    CHECK(std::equal(slice.image.begin(), slice.image.end(), in_run));
  }
  CHECK_THROWS_AS(rat.slice(3, 0), Error);
}

TEST_CASE("other matrices, slice counts and phase-encode axes work") {
  for (const int matrix : {80, 96, 128}) {
    const SimulatorOptions options{.volumes = 1,
                                   .slices = 5,
                                   .matrix = matrix,
                                   .axis = PhaseEncodeAxis::dorso_ventral,
                                   .events = 0.2};
    const SimulatedRun run = simulate_run(options, 2, 0);
    CHECK(run.images.size() == static_cast<std::size_t>(5 * matrix * matrix));
    CHECK(run.geometry.pixel() * matrix == Approx(32));
  }
  CHECK_THROWS_AS(simulate_run({.matrix = 70}, 1, 0), Error);
  CHECK_THROWS_AS(simulate_run({.slices = 31}, 1, 0), Error);
  CHECK_THROWS_AS(simulate_run({.volumes = 0}, 1, 0), Error);
}

TEST_CASE("a cohort is the same on any number of threads, half dark and split by animal") {
  const CohortOptions options{.animals = 20, .slices_per_animal = 12, .seed = 3};
  ThreadPool one(1), three(3);
  int calls = 0;
  const Cohort cohort = simulate_cohort(options, one, [&](int done, int total) {
    CHECK(done == ++calls);
    CHECK(total == 20);
  });
  CHECK(calls == 20);
  const Cohort again = simulate_cohort(options, three);
  CHECK(cohort.images == again.images);
  CHECK(cohort.table.labels == again.table.labels);
  CHECK(cohort.brain_level == again.brain_level);

  const auto n = static_cast<std::size_t>(cohort.count());
  CHECK(cohort.images.size() == n * 64 * 64);
  std::set<std::pair<std::string, Split>> animals;
  int good = 0, dark = 0, train = 0;
  for (std::size_t i = 0; i < n; ++i) {
    animals.emplace(cohort.table.subjects[i], cohort.table.splits[i]);
    good += cohort.table.labels[i] == 0;
    dark += cohort.table.labels[i] == 1;
    const bool ambiguous = cohort.table.labels[i] == kUnlabelled;
    CHECK(ambiguous == (cohort.ambiguous[i] == 1));
    if (ambiguous) CHECK(cohort.table.splits[i] == Split::test);
  }
  CHECK(animals.size() == 20);  // no animal in two splits
  for (const auto& animal : animals) train += animal.second == Split::train;
  CHECK(train == 14);
  CHECK(good == 20 * 6);
  CHECK(dark == 20 * 6);
  CHECK(cohort.brain_level > 45);
  CHECK(cohort.brain_level < 80);

  const Cohort other = simulate_cohort({.animals = 20, .slices_per_animal = 12, .seed = 4}, one);
  CHECK(cohort.images != other.images);
}
