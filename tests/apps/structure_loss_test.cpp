// What the rule of lost structure sees, against sums in double precision.
#include "../../apps/anomaly/structure_loss.h"

#include <algorithm>
#include <cmath>

#include "../../apps/anomaly/subject_slices.h"
#include "../../core/error.h"
#include "../catch.h"
#include "subject_maker.h"

using namespace ratnet;

namespace {

using Doubles = std::vector<double>;

// The mean of the brain around each pixel of it under a Gaussian, pixel by pixel.
Doubles mean_of_brain(const Doubles& image, std::span<const std::uint8_t> brain, double sigma) {
  const auto reach = static_cast<std::int64_t>(std::ceil(4 * sigma));
  Doubles means(image.size());
  for (std::int64_t p = 0; p < kJudgedSize * kJudgedSize; ++p) {
    if (!brain[static_cast<std::size_t>(p)]) continue;
    const std::int64_t row = p / kJudgedSize, column = p % kJudgedSize;
    double sum = 0, weights = 0;
    for (std::int64_t y = std::max<std::int64_t>(row - reach, 0);
         y <= std::min(row + reach, kJudgedSize - 1); ++y)
      for (std::int64_t x = std::max<std::int64_t>(column - reach, 0);
           x <= std::min(column + reach, kJudgedSize - 1); ++x) {
        const auto q = voxel(0, y, x);
        if (!brain[q]) continue;
        const auto away = static_cast<double>((y - row) * (y - row) + (x - column) * (x - column));
        const double weight = std::exp(-away / (2 * sigma * sigma));
        sum += weight * image[q];
        weights += weight;
      }
    means[static_cast<std::size_t>(p)] = sum / weights;
  }
  return means;
}

Doubles naive_structure(std::span<const float> image, std::span<const std::uint8_t> brain,
                        const StructureBand& band) {
  const Doubles values(image.begin(), image.end());
  const Doubles fine = band.fine > 0 ? mean_of_brain(values, brain, band.fine) : values,
                coarse = mean_of_brain(values, brain, band.coarse);
  Doubles squares;
  for (std::size_t p = 0; p < fine.size(); ++p)
    squares.push_back((fine[p] - coarse[p]) * (fine[p] - coarse[p]));
  Doubles local = mean_of_brain(squares, brain, band.window), inside;
  for (std::size_t p = 0; p < local.size(); ++p)
    if (brain[p]) inside.push_back(local[p] = std::log(std::sqrt(local[p]) + 0.01));
  std::ranges::sort(inside);
  for (std::size_t p = 0; p < local.size(); ++p)
    if (brain[p]) local[p] -= inside[inside.size() / 2];
  return local;
}

// Stripes of which every subject has its own, with noise.
PreparedSubject striped_subject(std::uint64_t seed, std::int64_t slices) {
  Random random(seed);
  const double phase = random.uniform(0, 6), depth = random.uniform(0.08, 0.12);
  return made_subject(slices, [&](std::int64_t, std::int64_t y, std::int64_t x) {
    return 0.5 + depth * std::sin((static_cast<double>(x) + static_cast<double>(y)) / 2 + phase) +
           random.normal(0, 0.02);
  });
}

// A disc of one level: as bright, on average, as what was there.
void flatten(PreparedSubject& subject, std::int64_t slice, std::int64_t row, std::int64_t column,
             double radius, float level) {
  for (std::int64_t y = 0; y < kJudgedSize; ++y)
    for (std::int64_t x = 0; x < kJudgedSize; ++x)
      if (std::hypot(static_cast<double>(y - row), static_cast<double>(x - column)) <= radius)
        subject.images.values<float>()[voxel(slice, y, x)] = level;
}

std::vector<LearntStructure> learnt_of(const std::vector<PreparedSubject>& cohort) {
  std::vector<const PreparedSubject*> all;
  for (const PreparedSubject& subject : cohort) all.push_back(&subject);
  return learn_structure(all);
}

std::vector<PreparedSubject> striped_cohort() {
  std::vector<PreparedSubject> cohort;
  for (std::uint64_t seed = 1; seed <= 7; ++seed) cohort.push_back(striped_subject(seed, 5));
  return cohort;
}

}  // namespace

TEST_CASE("local structure is the log deviation between two Gaussians, less its median") {
  PreparedSubject subject = striped_subject(20, 3);
  subject.judged[1] = 0;
  // A border within the brain, and an island of a single pixel.
  for (std::int64_t y = 50; y < 70; ++y)
    for (std::int64_t x = 60; x < 64; ++x) {
      subject.brain.values<std::uint8_t>()[voxel(0, y, x)] = 0;
      subject.images.values<float>()[voxel(0, y, x)] = 0;
    }
  subject.brain.values<std::uint8_t>()[voxel(0, 2, 3)] = 1;
  subject.images.values<float>()[voxel(0, 2, 3)] = 0.7f;
  // Nothing but one pixel.
  std::ranges::fill(slice_of<std::uint8_t>(subject.brain, 2), std::uint8_t{0});
  std::ranges::fill(slice_of<float>(subject.images, 2), 0.0f);
  subject.brain.values<std::uint8_t>()[voxel(2, 127, 0)] = 1;
  subject.images.values<float>()[voxel(2, 127, 0)] = 0.4f;
  const StructureBand band = GENERATE(kStructureBands[0], kStructureBands[1], kOldStructureBand);
  const Tensor structure = local_structure(subject, band);
  const Tensor &images = subject.images, &brain = subject.brain;
  const Doubles expected =
      naive_structure(slice_of<float>(images, 0), slice_of<std::uint8_t>(brain, 0), band);
  double worst = 0;
  for (std::size_t p = 0; p < expected.size(); ++p)
    worst = std::max(worst,
                     std::abs(expected[p] - static_cast<double>(slice_of<float>(structure, 0)[p])));
  CHECK(worst < 1e-4);
  CHECK(std::ranges::max(expected) > 0.05);
  CHECK(std::ranges::min(expected) < (band.window > 4 ? -0.9 : -1));
  for (const std::int64_t s : {1, 2})
    CHECK(std::ranges::all_of(slice_of<float>(structure, s), [](float v) { return v == 0; }));
}

TEST_CASE("structure is missed where it is lost, whatever the brightness") {
  const std::vector<PreparedSubject> cohort = striped_cohort();
  const std::vector<LearntStructure> learnt = learnt_of(cohort);
  const auto at = [](const Tensor& maps, std::int64_t s, std::int64_t row, std::int64_t column) {
    return maps.values<float>()[voxel(s, row, column)];
  };
  PreparedSubject subject = striped_subject(99, 5);
  const Tensor before = structure_loss_maps(learnt, subject);
  flatten(subject, 1, 60, 50, 11, 0.5f);
  plant(subject, 3, 60, 50, 40, 0.05f);  // brighter all over, with its structure
  subject.judged[4] = 0;
  flatten(subject, 4, 60, 50, 11, 0.5f);
  const Tensor maps = structure_loss_maps(learnt, subject);
  CHECK(at(before, 1, 60, 50) < 3);
  CHECK(at(maps, 1, 60, 50) > 8);
  CHECK(at(maps, 1, 60, 84) < 3);
  CHECK(at(maps, 3, 60, 50) < 3);
  CHECK(at(maps, 0, 60, 50) == at(before, 0, 60, 50));
  CHECK(std::ranges::all_of(slice_of<float>(maps, 4), [](float v) { return v == 0; }));
  CHECK(std::ranges::min(maps.values<float>()) == 0);
  // More structure than usual is no loss.
  PreparedSubject rough = striped_subject(99, 5);
  Random random(3);
  for (std::int64_t y = 50; y < 72; ++y)
    for (std::int64_t x = 40; x < 62; ++x)
      rough.images.values<float>()[voxel(2, y, x)] += (y / 3 + x / 3) % 2 != 0 ? 0.4f : -0.4f;
  CHECK(at(structure_loss_maps(learnt, rough), 2, 60, 50) == 0);
}

TEST_CASE("a sharper scanner moves no score of structure") {
  const std::vector<PreparedSubject> cohort = striped_cohort();
  const std::vector<LearntStructure> learnt = learnt_of(cohort);
  const PreparedSubject subject = striped_subject(99, 5);
  PreparedSubject sharper = striped_subject(99, 5);
  for (std::size_t p = 0; p < sharper.images.values<float>().size(); ++p) {
    float& level = sharper.images.values<float>()[p];
    if (sharper.brain.values<std::uint8_t>()[p]) level = 0.5f + 2 * (level - 0.5f);
  }
  for (const LearntStructure& band : learnt) {
    const Tensor maps = structure_loss_maps({&band, 1}, subject);
    const Tensor twice = structure_loss_maps({&band, 1}, sharper);
    double furthest = 0;
    for (std::size_t p = 0; p < maps.values<float>().size(); ++p)
      furthest = std::max(furthest, static_cast<double>(std::abs(maps.values<float>()[p] -
                                                                 twice.values<float>()[p])));
    CHECK(std::ranges::max(maps.values<float>()) > 1);
    // In the fine band there is less, to which 0.01 is added.
    CHECK(furthest < (band.band.fine == 0 ? 0.7 : 0.6));
  }
}

TEST_CASE("structure is learnt from healthy slices and maps are of its own statistics") {
  std::vector<PreparedSubject> cohort = striped_cohort();
  for (PreparedSubject& subject : cohort) subject.labels = {0, 0, 1, 0, 0};
  const std::vector<LearntStructure> learnt = learnt_of(cohort);
  for (PreparedSubject& subject : cohort) flatten(subject, 2, 60, 60, 25, 0.5f);
  const std::vector<LearntStructure> again = learnt_of(cohort);
  REQUIRE(learnt.size() == 2);
  for (std::size_t i = 0; i < learnt.size(); ++i) {
    const PositionZScore &one = learnt[i].usual, &other = again[i].usual;
    CHECK(std::ranges::equal(one.mean.values<float>(), other.mean.values<float>()));
    CHECK(std::ranges::equal(one.deviation.values<float>(), other.deviation.values<float>()));
  }
  std::vector<LearntStructure> wrong(1);
  wrong[0].usual = {Tensor({41, 32, 32}, DType::f32), Tensor({41, 32, 32}, DType::f32)};
  CHECK_THROWS_AS(structure_loss_maps(wrong, cohort[0]), Error);
  CHECK_THROWS_AS(learn_structure({}), Error);
}
