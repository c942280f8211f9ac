#include "cohort.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <mutex>
#include <numeric>
#include <sstream>

#include "../../core/error.h"
#include "../../imaging/resample.h"
#include "brain_level.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::uint64_t kSplitStream = ~0ull;
constexpr std::uint64_t kChoiceStreams = 1ull << 62;

struct Kept {
  int volume, slice;
  SliceTruth truth;
  std::vector<std::uint8_t> image;  // on the model's grid
};

// The slice on the model's grid, by the way predict brings a scan there.
std::vector<std::uint8_t> to_grid(const SimulatedSlice& slice, const RunGeometry& geometry,
                                  int size) {
  if (geometry.matrix == size) return slice.image;
  const std::vector<float> source(slice.image.begin(), slice.image.end());
  const SliceGrid grid{.rows = geometry.matrix,
                       .columns = geometry.matrix,
                       .row_spacing = geometry.pixel(),
                       .column_spacing = geometry.pixel()};
  const Tensor resampled = resample_slice(source, grid, size, size);
  std::vector<std::uint8_t> image;
  for (const float x : resampled.values<float>())
    image.push_back(static_cast<std::uint8_t>(std::clamp(std::round(x), 0.0f, 255.0f)));
  return image;
}

std::vector<Kept> keep_slices(const CohortOptions& options, int animal, bool keep_ambiguous) {
  const int dark_wanted = options.slices_per_animal / 2;
  const int good_wanted = options.slices_per_animal - dark_wanted;
  // More events than a run has by nature, so that half of what is kept can be dark; twice as many
  // as wanted, because some will be ambiguous.
  SimulatorOptions run = options.run;
  run.least_events = 2 * dark_wanted;
  SimulatedAnimal rat(run, options.seed, animal);
  Random random(options.seed, kChoiceStreams + static_cast<std::uint64_t>(animal));
  std::vector<int> calm, hit;
  for (int i = 0; i < static_cast<int>(rat.events().size()); ++i) {
    if (rat.is_padding(i % rat.geometry().slices)) continue;
    (rat.events()[static_cast<std::size_t>(i)].dropout ? hit : calm).push_back(i);
  }
  std::vector<Kept> kept;
  const auto take = [&](std::vector<int>& from, SliceState state, int wanted) {
    random.shuffle(std::span<int>(from));
    int found = 0;
    for (const int i : from) {
      if (found == wanted) return;
      const int volume = i / rat.geometry().slices, slice = i % rat.geometry().slices;
      SimulatedSlice made = rat.slice(volume, slice);
      if (made.truth.state != state && !keep_ambiguous) continue;
      found += made.truth.state == state;
      kept.push_back({volume, slice, made.truth, to_grid(made, rat.geometry(), options.size)});
    }
  };
  take(calm, SliceState::good, good_wanted);
  take(hit, SliceState::dark, dark_wanted);
  std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) {
    return a.volume != b.volume ? a.volume < b.volume : a.slice < b.slice;
  });
  return kept;
}

// The brain level of the training slices, estimated as for any file of loose slices.
double training_level(const Cohort& cohort) {
  const auto pixels = static_cast<std::size_t>(cohort.size) * static_cast<std::size_t>(cohort.size);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < cohort.table.splits.size(); ++i)
    if (cohort.table.splits[i] == Split::train) chosen.push_back(i);
  const auto read = [&](std::int64_t index, std::span<float> out) {
    const auto* image = cohort.images.data() + chosen[static_cast<std::size_t>(index)] * pixels;
    std::copy(image, image + pixels, out.begin());
  };
  return measure_loose(static_cast<std::int64_t>(chosen.size()), cohort.size, cohort.size, read)
      .brain_level;
}

std::vector<Split> split_animals(int animals, std::uint64_t seed) {
  std::vector<int> order(static_cast<std::size_t>(animals));
  std::iota(order.begin(), order.end(), 0);
  Random random(seed, kSplitStream);
  random.shuffle(std::span<int>(order));
  std::vector<Split> splits(order.size());
  const double train = 0.70 * animals, validation = 0.85 * animals;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto position = static_cast<double>(i) + 0.5;
    splits[static_cast<std::size_t>(order[i])] = position < train        ? Split::train
                                                 : position < validation ? Split::validation
                                                                         : Split::test;
  }
  return splits;
}

}  // namespace

void CohortOptions::check() const {
  require(animals >= 1 && animals <= 100000, "a cohort of ", animals, " animals: use 1 to 100000");
  require(slices_per_animal >= 2 && slices_per_animal <= 1000, slices_per_animal,
          " slices an animal: use 2 to 1000");
  require(size >= 16 && size <= 256, "a model grid of ", size, " pixels: use 16 to 256");
  run.check();
}

Cohort simulate_cohort(const CohortOptions& options, Executor& executor,
                       const CohortProgress& progress) {
  options.check();
  const std::vector<Split> splits = split_animals(options.animals, options.seed);
  std::vector<std::vector<Kept>> animals(splits.size());
  std::mutex mutex;
  int done = 0;
  parallel_for(executor, options.animals, [&](std::int64_t a, int) {
    const auto i = static_cast<std::size_t>(a);
    animals[i] = keep_slices(options, static_cast<int>(a), splits[i] == Split::test);
    if (!progress) return;
    const std::lock_guard lock(mutex);
    progress(++done, options.animals);
  });
  Cohort cohort;
  cohort.size = options.size;
  for (std::size_t a = 0; a < animals.size(); ++a) {
    std::ostringstream name;
    name << "rat-" << std::setw(3) << std::setfill('0') << a + 1;
    for (const Kept& kept : animals[a]) {
      cohort.images.insert(cohort.images.end(), kept.image.begin(), kept.image.end());
      cohort.table.labels.push_back(kept.truth.label());
      cohort.table.subjects.push_back(name.str());
      cohort.table.runs.push_back("1");
      cohort.table.volumes.push_back(kept.volume);
      cohort.table.slices.push_back(kept.slice);
      cohort.table.splits.push_back(splits[a]);
      cohort.clear.push_back(kept.truth.clear());
      cohort.ambiguous.push_back(kept.truth.state == SliceState::ambiguous);
      cohort.level.push_back(kept.truth.level);
      cohort.ghost.push_back(kept.truth.ghost);
    }
    animals[a].clear();
  }
  cohort.brain_level = training_level(cohort);
  return cohort;
}

}  // namespace ratnet::inline v1
