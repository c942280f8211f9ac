#include "../../apps/anomaly/anomaly_simulator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "../catch.h"

using namespace ratnet;

namespace {

// Values of voxels of a stack: [slices, size, size].
struct Grid {
  int slices, size;

  std::size_t pixels() const {
    return static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  }
  std::size_t at(int s, int r, int c) const {
    return static_cast<std::size_t>((s * size + r) * size + c);
  }
  bool has(int s, int r, int c) const {
    return s >= 0 && s < slices && r >= 0 && r < size && c >= 0 && c < size;
  }
};

// Whether there is lesion within `reach` pixels in this slice or the next ones.
bool near_lesion(const Grid& grid, const std::vector<std::uint8_t>& mask, int s, int r, int c,
                 int reach) {
  for (int ds = -1; ds <= 1; ++ds)
    for (int dr = -reach; dr <= reach; ++dr)
      for (int dc = -reach; dc <= reach; ++dc)
        if (grid.has(s + ds, r + dr, c + dc) && mask[grid.at(s + ds, r + dr, c + dc)]) return true;
  return false;
}

double quantile(std::vector<double> sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

// One slice as intensity alone scores it.
struct ScoredSlice {
  int subject;
  double position, bright, departing;
  bool lesion;
};

// The protocol of the anomaly system: normalised by median and quartiles inside the brain of the
// slices that are judged; the highest 100 of 128 x 128 pixels.
std::vector<ScoredSlice> score_by_intensity(const HeadCohortOptions& options, int subject,
                                            const SimulatedHead& head) {
  const Grid grid{options.slices, options.size};
  std::vector<int> area;
  for (int s = 0; s < grid.slices; ++s) {
    const auto* start = head.brain.data() + static_cast<std::size_t>(s) * grid.pixels();
    area.push_back(std::accumulate(start, start + grid.pixels(), 0));
  }
  const double largest = *std::max_element(area.begin(), area.end());
  int first = 0, last = grid.slices - 1;
  while (area[static_cast<std::size_t>(first)] <= 0.3 * largest) ++first;
  while (area[static_cast<std::size_t>(last)] <= 0.08 * largest) --last;
  const auto position = [&](int s) { return (s - first) / static_cast<double>(last - first); };
  const auto judged = [&](int s) {
    return area[static_cast<std::size_t>(s)] > 0.4 * largest && position(s) >= 0 &&
           position(s) <= 0.95;
  };
  const auto brain_of = [&](int s) {
    std::vector<double> values;
    for (std::size_t i = 0; i < grid.pixels(); ++i) {
      const std::size_t voxel = static_cast<std::size_t>(s) * grid.pixels() + i;
      if (head.brain[voxel]) values.push_back(head.images[voxel]);
    }
    return values;
  };
  std::vector<double> all;
  for (int s = 0; s < grid.slices; ++s)
    if (judged(s)) {
      const auto values = brain_of(s);
      all.insert(all.end(), values.begin(), values.end());
    }
  std::sort(all.begin(), all.end());
  const double median = quantile(all, 0.5), range = quantile(all, 0.75) - quantile(all, 0.25);
  const auto kept = static_cast<std::ptrdiff_t>(100 * grid.pixels() / (128 * 128));
  const auto highest = [&](std::vector<double> values) {
    std::partial_sort(values.begin(), values.begin() + kept, values.end(), std::greater<>());
    return std::accumulate(values.begin(), values.begin() + kept, 0.0);
  };
  std::vector<ScoredSlice> scored;
  for (int s = 0; s < grid.slices; ++s) {
    if (!judged(s)) continue;
    std::vector<double> x = brain_of(s), departure;
    for (double& value : x) {
      value = std::clamp(0.5 + 0.15 * (value - median) / range, 0.0, 1.6);
      departure.push_back(std::abs(value - 0.5));
    }
    scored.push_back({subject, position(s), highest(x), highest(departure),
                      head.kinds[static_cast<std::size_t>(s)] != LesionKind::none});
  }
  return scored;
}

// Mean share of the lesion-free slices of others near the same position that score lower.
double matched_auroc(const std::vector<ScoredSlice>& slices, double ScoredSlice::*score) {
  double sum = 0;
  int n = 0;
  for (const ScoredSlice& lesion : slices) {
    if (!lesion.lesion) continue;
    double lower = 0, others = 0;
    for (const ScoredSlice& s : slices)
      if (!s.lesion && s.subject != lesion.subject &&
          std::abs(s.position - lesion.position) < 0.06) {
        lower += s.*score < lesion.*score ? 1 : s.*score == lesion.*score ? 0.5 : 0;
        ++others;
      }
    if (others < 3) continue;
    sum += lower / others;
    ++n;
  }
  REQUIRE(n > 30);
  return sum / n;
}

Lesion lesion_at_origin(LesionKind kind, LesionShape shape, double radius, std::uint64_t seed) {
  Random random(seed);
  return Lesion(random, kind, shape, {10, 0, 0}, radius, 5);
}

}  // namespace

TEST_CASE("a wave field has mean 0, deviation 1 and the length of its waves") {
  Random random(4), places(5);
  const WaveField field(random, 200, 20, 0.2);
  double sum = 0, squares = 0, steps = 0;
  constexpr int n = 20000;
  for (int i = 0; i < n; ++i) {
    const HeadPoint p{places.uniform(-900, 900), places.uniform(-900, 900),
                      places.uniform(-900, 900)};
    const double value = field.at(p), step = field.at({p.x + 0.1, p.y, p.z}) - value;
    sum += value;
    squares += value * value;
    steps += step * step;
  }
  CHECK(sum / n == Approx(0).margin(0.04));
  CHECK(squares / n == Approx(1).epsilon(0.06));
  // A wave of length L climbs by 2 pi / (L sqrt(3)) along any one axis.
  CHECK(std::sqrt(steps / n) / 0.1 == Approx(2 * 3.14159 / (20 * std::sqrt(3.0))).epsilon(0.1));
}

TEST_CASE("a head: air around it, brain in the middle, fluid as its contrast has it") {
  for (const HeadContrast contrast : {HeadContrast::t1, HeadContrast::t2, HeadContrast::flair})
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      Random random(seed);
      const HeadPhantom head(random, contrast);
      const HeadLevels& levels = head.levels();
      CHECK((levels.fluid > levels.grey) == (contrast == HeadContrast::t2));
      CHECK((levels.white > levels.grey) == (contrast == HeadContrast::t1));
      CHECK(head.at({120, 0, 0}).level == 0);
      CHECK(head.at({120, 0, 0}).brain == 0);
      CHECK(head.brain_depth({0, 0, 25}) > 20);
      CHECK(head.brain_depth({90, 0, 25}) < 0);
      CHECK(head.bottom() < -30);
      CHECK(head.top() > 50);
      double tissue = 0, brain = 0;
      for (int i = 0; i < 500; ++i) {
        const HeadSample sample =
            head.at({random.uniform(-45, 45), random.uniform(-55, 55), random.uniform(10, 45)});
        CHECK(sample.parenchyma <= sample.brain + 1e-9);
        tissue += sample.parenchyma;
        brain += sample.brain;
      }
      CHECK(brain > 480);
      CHECK(tissue > 0.7 * brain);
    }
}

TEST_CASE("a lesion covers its middle and nothing far away; a wedge spares fluid") {
  const HeadLevels levels{.white = 1, .grey = 0.7, .deep = 0.8, .pallidum = 0.9, .fluid = 0.2};
  for (const LesionShape shape : {LesionShape::blob, LesionShape::wedge})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Lesion lesion = lesion_at_origin(LesionKind::hyperintense, shape, 12, seed);
      CHECK(lesion.cover({10, 0, 0}) == 1);
      CHECK(lesion.cover({10, 40, 0}) == 0);
      CHECK(lesion.cover({10, 0, lesion.reach_z() + 0.1}) == 0);
      HeadSample tissue{.level = 1, .parenchyma = 1, .brain = 1};
      CHECK(lesion.change({10, 0, 0}, levels, tissue) == 1);
      CHECK(tissue.level > 0.83);
      HeadSample fluid{.level = 0.2, .parenchyma = 0, .brain = 1};
      const double share = lesion.change({10, 0, 0}, levels, fluid);
      CHECK(share == (shape == LesionShape::blob ? 1 : 0));
      CHECK((fluid.level > 0.3) == (shape == LesionShape::blob));
      HeadSample bone{.level = 0.1};
      CHECK(lesion.change({10, 0, 0}, levels, bone) == 0);
      CHECK(bone.level == 0.1);
    }
  Random random(1);
  CHECK_THROWS_AS(Lesion(random, LesionKind::none, LesionShape::blob, {}, 3, 5), Error);
  CHECK_THROWS_AS(Lesion(random, LesionKind::mass_effect, LesionShape::wedge, {}, 3, 5), Error);
  CHECK_THROWS_AS(Lesion(random, LesionKind::texture, LesionShape::blob, {}, 0, 5), Error);
}

TEST_CASE("mass effect pushes outwards, without folding, and leaves the outline") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Lesion lesion = lesion_at_origin(LesionKind::mass_effect, LesionShape::blob, 12, seed);
    double last = -1;
    for (double r = 0; r < 150; r += 0.5) {
      const HeadPoint from = lesion.before({10 + r, 0, 0}, 50);
      CHECK(from.x - 10 <= r + 1e-9);
      CHECK(from.x - 10 >= last);
      CHECK(from.y == 0);
      if (r == 12) CHECK(from.x - 10 < 4);  // the rim shows what was near the middle
      last = from.x - 10;
    }
    CHECK(last == Approx(149.5));
    CHECK(lesion.before({30, 0, 0}, 0).x == 30);
    const Lesion other = lesion_at_origin(LesionKind::texture, LesionShape::blob, 12, seed);
    CHECK(other.before({20, 0, 0}, 50).x == 20);
  }
}

TEST_CASE("masks are exact: the same subject without its lesions differs there and only there") {
  const HeadCohortOptions options{.subjects = 12, .slices = 16, .size = 64, .seed = 5};
  const Grid grid{options.slices, options.size};
  std::map<LesionKind, double> change, pixels, absolute;
  for (int subject = 0; subject < options.subjects; ++subject) {
    const SimulatedHead ill = simulate_head(options, subject, true);
    const SimulatedHead well = simulate_head(options, subject, false);
    CHECK(std::count(well.masks.begin(), well.masks.end(), 0) ==
          static_cast<std::ptrdiff_t>(well.masks.size()));
    CHECK(well.brain == ill.brain);
    CHECK(std::count(ill.masks.begin(), ill.masks.end(), 1) >= 1);
    const bool pushes = std::count(ill.kinds.begin(), ill.kinds.end(), LesionKind::mass_effect) > 0;
    int astray = 0, outside = 0;
    for (int s = 0; s < grid.slices; ++s) {
      const LesionKind kind = ill.kinds[static_cast<std::size_t>(s)];
      bool any = false;
      for (int r = 0; r < grid.size; ++r)
        for (int c = 0; c < grid.size; ++c) {
          const std::size_t i = grid.at(s, r, c);
          const int difference = ill.images[i] - well.images[i];
          if (ill.masks[i]) {
            any = true;
            outside += !ill.brain[i];
            change[kind] += difference;
            absolute[kind] += std::abs(difference);
            pixels[kind] += 1;
          } else if (!pushes && difference != 0) {
            astray += !near_lesion(grid, ill.masks, s, r, c, 5);
          }
        }
      CHECK(any == (kind != LesionKind::none));
    }
    INFO("subject " << subject);
    CHECK(astray == 0);
    CHECK(outside == 0);
  }
  for (int kind = 1; kind <= kLesionKinds; ++kind) {
    const auto k = static_cast<LesionKind>(kind);
    INFO("kind " << kind);
    REQUIRE(pixels[k] > 20);
    CHECK(absolute[k] / pixels[k] > 4);
    if (k == LesionKind::hyperintense) CHECK(change[k] / pixels[k] > 10);
    if (k == LesionKind::hypointense) CHECK(change[k] / pixels[k] < -10);
    if (k == LesionKind::texture) CHECK(std::abs(change[k] / pixels[k]) < 10);
  }
}

TEST_CASE("a cohort of heads is the same on any number of threads, lesioned subjects for testing") {
  const HeadCohortOptions options{.subjects = 10, .slices = 8, .size = 64, .seed = 3};
  ThreadPool one(1), three(3);
  int calls = 0;
  const HeadCohort cohort =
      simulate_head_cohort(options, one, [&](int done) { CHECK(done == ++calls); });
  CHECK(calls == 10);
  const HeadCohort again = simulate_head_cohort(options, three);
  CHECK(cohort.images == again.images);
  CHECK(cohort.masks == again.masks);
  CHECK(cohort.table.columns == again.table.columns);

  REQUIRE(cohort.count() == 80);
  CHECK(cohort.images.size() == 80u * 64 * 64);
  const auto lesioned = lesioned_subjects(options);
  CHECK(std::count(lesioned.begin(), lesioned.end(), 1) == 4);
  const SampleTable& table = cohort.table;
  std::set<std::pair<std::string, Split>> subjects;
  std::map<Split, int> splits;
  for (std::size_t i = 0; i < 80; ++i) {
    if (subjects.emplace(table.subjects[i], table.splits[i]).second) ++splits[table.splits[i]];
    CHECK(table.slices[i] == static_cast<std::int32_t>(i % 8));
    const auto* mask = cohort.masks.data() + i * 64 * 64;
    const bool any = std::count(mask, mask + 64 * 64, 1) > 0;
    CHECK(table.labels[i] == any);
    CHECK((table.columns.at("lesion_kind")[i] != 0) == any);
    if (any) CHECK(lesioned[i / 8] == 1);
    if (lesioned[i / 8]) CHECK(table.splits[i] == Split::test);
  }
  CHECK(subjects.size() == 10);  // no subject in two splits
  CHECK(splits[Split::train] == 4);
  CHECK(splits[Split::validation] == 1);
  CHECK(splits[Split::test] == 5);

  // Few have somebody to train on and somebody to calibrate on all the same.
  for (const int few : {3, 4, 6}) {
    HeadCohortOptions small = options;
    small.subjects = few;
    const std::vector<Split> chosen = simulate_head_cohort(small, one).table.splits;
    CHECK(std::ranges::count(chosen, Split::train) > 0);
    CHECK(std::ranges::count(chosen, Split::validation) > 0);
  }

  const SimulatedHead alone = simulate_head(options, 6, lesioned[6] != 0);
  CHECK(std::equal(alone.images.begin(), alone.images.end(),
                   cohort.images.begin() + 6 * 8 * 64 * 64));
  HeadCohortOptions other = options;
  other.seed = 4;
  CHECK(simulate_head_cohort(other, three).images != cohort.images);
  other.contrast = HeadContrast::t2;
  const auto contrasts = simulate_head_cohort(other, three).table.columns.at("contrast");
  CHECK(std::count(contrasts.begin(), contrasts.end(), 1) == 80);
}

TEST_CASE("intensity alone does not tell lesions from what is natural") {
  const HeadCohortOptions options{
      .subjects = 24, .slices = 20, .size = 64, .lesioned = 0.5, .seed = 2};
  const auto lesioned = lesioned_subjects(options);
  ThreadPool pool;
  std::vector<std::vector<ScoredSlice>> subjects(lesioned.size());
  parallel_for(pool, options.subjects, [&](std::int64_t subject, int) {
    const auto i = static_cast<std::size_t>(subject);
    const auto number = static_cast<int>(subject);
    subjects[i] =
        score_by_intensity(options, number, simulate_head(options, number, lesioned[i] != 0));
  });
  std::vector<ScoredSlice> slices;
  for (const auto& scored : subjects) slices.insert(slices.end(), scored.begin(), scored.end());
  CHECK(matched_auroc(slices, &ScoredSlice::bright) < 0.75);
  CHECK(matched_auroc(slices, &ScoredSlice::departing) < 0.75);
  CHECK(matched_auroc(slices, &ScoredSlice::bright) > 0.45);  // and is not fooled by the drawing
}

TEST_CASE("cohorts of heads that cannot be made are refused") {
  const auto refused = [](const HeadCohortOptions& options) {
    CHECK_THROWS_AS(options.check(), Error);
  };
  refused({.subjects = 0});
  refused({.subjects = 10001});
  refused({.slices = 7});
  refused({.slices = 65});
  refused({.size = 63});
  refused({.size = 257});
  refused({.lesioned = -0.1});
  refused({.lesioned = 1.1});
  refused({.subjects = 10000, .slices = 64});  // too large for memory
  CHECK_THROWS_AS(simulate_head({.subjects = 2}, 2, false), Error);
}
