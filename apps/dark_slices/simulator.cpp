#include "simulator.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../../core/error.h"
#include "acquisition.h"

namespace ratnet::inline v1 {
namespace {

// Streams: the animal's own, then one for each still slice, then one for each slice of each volume.
constexpr std::uint64_t stream_of(int animal, std::uint64_t part) {
  return (static_cast<std::uint64_t>(animal) << 32) | part;
}
constexpr std::uint64_t kStillStreams = 1;
constexpr std::uint64_t kSliceStreams = 1000;

// The hard cases among good slices: appearances of a slice position that have nothing to do with
// loss of signal, and that would fool a rule.
void vary_appearance(Random& random, std::vector<float>& image, int size, double brain_level) {
  const double pixel = 64.0 / size;
  if (random.chance(0.15)) {  // the lower head fades, as it leaves the coil
    const double length = random.uniform(8, 30);
    const double from = random.uniform(30, 42);
    for (int r = 0; r < size; ++r) {
      const double below = std::max(0.0, r * pixel - from);
      const auto factor = static_cast<float>(std::exp(-below / length));
      for (int c = 0; c < size; ++c) image[static_cast<std::size_t>(r * size + c)] *= factor;
    }
  }
  if (random.chance(0.1)) {
    const double gamma = random.uniform(0.75, 1.3);
    for (float& x : image)
      x = static_cast<float>(brain_level * std::pow(static_cast<double>(x) / brain_level, gamma));
  }
  if (random.chance(0.1)) {  // one edge of the coil is near
    const double strength = random.uniform(0.1, 0.35) * (random.chance(0.5) ? 1 : -1);
    for (int c = 0; c < size; ++c) {
      const auto factor = static_cast<float>(1 + strength * ((c + 0.5) / size - 0.5) * 2);
      for (int r = 0; r < size; ++r) image[static_cast<std::size_t>(r * size + c)] *= factor;
    }
  }
  if (random.chance(0.1)) {
    const auto gain = static_cast<float>(random.uniform(0.85, 1.1));
    for (float& x : image) x *= gain;
  }
}

}  // namespace

void SimulatorOptions::check() const {
  require(volumes >= 1 && volumes <= 10000, "a run of ", volumes, " volumes: use 1 to 10000");
  require(slices >= 5 && slices <= 30, "a run of ", slices, " slices: use 5 to 30");
  require(matrix >= 64 && matrix <= 128 && matrix % kEchoTrain == 0, "a matrix of ", matrix,
          ": use 64, 80, 96, 112 or 128");
  require(events >= 0 && events <= 0.5, "events in ", events, " of the slices: use 0 to 0.5");
  require(least_events >= 0, "a run cannot have ", least_events, " events");
  require(varied >= 0 && varied <= 1, "a share of ", varied, " varied animals: use 0 to 1");
}

std::uint8_t SliceTruth::label() const {
  if (state == SliceState::good) return 0;
  return state == SliceState::dark ? 1 : 255;
}

SimulatedAnimal::SimulatedAnimal(const SimulatorOptions& options, std::uint64_t seed, int animal)
    : seed_(seed), animal_(animal) {
  options.check();
  require(animal >= 0, "animals are counted from 0");
  Random random(seed, stream_of(animal, 0));
  geometry_ = {.volumes = options.volumes,
               .slices = options.slices,
               .matrix = options.matrix,
               .axis = options.axis};
  if (random.chance(options.varied)) {
    constexpr int matrices[] = {64, 64, 80, 96, 112, 128};
    geometry_.matrix = matrices[random.integer(6)];
    geometry_.slices = 5 + static_cast<int>(random.integer(26));
    geometry_.axis =
        random.chance(0.5) ? PhaseEncodeAxis::dorso_ventral : PhaseEncodeAxis::left_right;
  }
  phantom_.emplace(random);
  bias_.emplace(random, 28, 10);
  gain_ = std::exp(random.normal(0, 0.10));
  front_to_back_ = random.normal(0.05, 0.06);
  noise_ = random.uniform(1, 3);
  instability_ = 0.06 * random.gamma(4) / 4;
  drift_ = random.uniform(-0.03, 0.03);
  drift_phase_ = random.uniform(0, 2 * std::numbers::pi);
  drift_cycles_ = random.uniform(0.3, 1.5);
  bold_ = random.uniform(0.01, 0.02);
  // Scans that keep their first volumes show them before the steady state.
  if (random.chance(0.4)) first_volume_ = random.uniform(1.15, 1.4);
  if (random.chance(0.1)) padding_ = 1 + static_cast<int>(random.integer(2));
  first_z_ = random.uniform(-0.4, 0.6);
  last_z_ = random.uniform(13.2, 14.2);
  geometry_.slice_spacing = 14.0 / (geometry_.slices - 1);
  const double drawn = 0.005 * std::pow(16.0, random.uniform());
  const double least = options.least_events / (1.0 * geometry_.volumes * geometry_.slices);
  const double share = std::min(0.5, std::max(options.events > 0 ? options.events : drawn, least));
  events_ =
      draw_events(random, geometry_.volumes, geometry_.slices, share, geometry_.repetition_time);
  still_.resize(static_cast<std::size_t>(geometry_.slices));
}

bool SimulatedAnimal::is_padding(int slice) const { return slice >= geometry_.slices - padding_; }

const SimulatedAnimal::StillSlice& SimulatedAnimal::still(int slice) {
  StillSlice& still = still_[static_cast<std::size_t>(slice)];
  if (!still.image.empty()) return still;
  Random random(seed_, stream_of(animal_, kStillStreams + static_cast<std::uint64_t>(slice)));
  const int size = geometry_.matrix;
  const double along = slice / static_cast<double>(geometry_.slices - 1);
  const double z = first_z_ + along * (last_z_ - first_z_);
  PhantomSlice drawn = phantom_->render(z, size);
  vary_appearance(random, drawn.image, size, 64);
  const double gain = gain_ * std::exp(-front_to_back_ * (2 * along - 1));
  const int outer = std::max(3, 3 * size / 64);
  still.beside.assign(drawn.image.size(), 0);
  const bool sideways = geometry_.axis == PhaseEncodeAxis::left_right;
  std::size_t i = 0;
  for (int r = 0; r < size; ++r)
    for (int c = 0; c < size; ++c, ++i) {
      const double x = c * 64.0 / size, y = r * 64.0 / size;
      drawn.image[i] *= static_cast<float>(gain * std::exp(0.12 * bias_->at(x, y, z)));
      const int p = sideways ? c : r;
      still.beside[i] = (p < outer || p >= size - outer) && !drawn.head[i];
    }
  still.brain = std::move(drawn.brain);
  still.image = std::move(drawn.image);
  return still;
}

SimulatedSlice SimulatedAnimal::slice(int volume, int slice) {
  require(volume >= 0 && volume < geometry_.volumes && slice >= 0 && slice < geometry_.slices,
          "volume ", volume, ", slice ", slice, " lies outside a run of ", geometry_.volumes,
          " volumes and ", geometry_.slices, " slices");
  const int size = geometry_.matrix;
  SimulatedSlice result;
  if (is_padding(slice)) {
    result.image.assign(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0);
    result.truth = {.state = SliceState::empty, .level = 0};
    return result;
  }
  const StillSlice& still_slice = still(slice);
  const auto index = static_cast<std::size_t>(volume * geometry_.slices + slice);
  Random random(seed_, stream_of(animal_, kSliceStreams + index));

  // What changes slowly or a little with time.
  const double time = volume / static_cast<double>(std::max(1, geometry_.volumes - 1));
  double gain = 1 + drift_ * std::sin(2 * std::numbers::pi * drift_cycles_ * time + drift_phase_);
  gain *= 1 + bold_ * random.normal();
  if (volume < 3) gain *= 1 + (first_volume_ - 1) * std::pow(0.25, volume);
  std::vector<float> clean = still_slice.image;
  for (float& x : clean) x *= static_cast<float>(gain);

  const SliceEvent& event = events_[index];
  double unsteady = instability_ * random.gamma(4) / 4;
  if (random.chance(0.25)) unsteady *= random.uniform(1, 4);
  unsteady = std::min(unsteady, 0.14);  // beyond this it would be an event
  ShotErrors errors = shot_instability(random, size / kEchoTrain, size, unsteady);
  add_dimming(errors, static_cast<double>(event.gain));
  if (event.dropout && !event.pure_dimming)
    add_dropout(random, errors, static_cast<double>(event.severity));
  std::vector<float> seen = acquire(clean, size, geometry_.axis, errors, noise_, random);
  for (float& x : seen) x = std::clamp(std::round(x), 0.0f, 255.0f);

  double brain = 0, brain_clean = 0, error = 0, beside = 0;
  int brain_pixels = 0, beside_pixels = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (still_slice.brain[i]) {
      brain += static_cast<double>(seen[i]);
      brain_clean += static_cast<double>(clean[i]);
      error += std::abs(static_cast<double>(seen[i] - clean[i]));
      ++brain_pixels;
    } else if (still_slice.beside[i]) {
      beside += static_cast<double>(seen[i]);
      ++beside_pixels;
    }
  }
  SliceTruth& truth = result.truth;
  truth.event = event.dropout;
  truth.level = static_cast<float>(brain / std::max(brain_clean, 1e-6));
  truth.brain_error = static_cast<float>(error / std::max(brain_clean, 1e-6));
  truth.ghost = static_cast<float>((beside / std::max(1, beside_pixels)) /
                                   std::max(brain / std::max(1, brain_pixels), 1e-6));
  const bool looks_good = truth.level > 0.90f && truth.ghost < 0.18f && truth.brain_error < 0.2f;
  const bool looks_dark = truth.level < 0.85f || truth.ghost > 0.23f;
  if (event.dropout)
    truth.state = looks_dark ? SliceState::dark : SliceState::ambiguous;
  else
    truth.state = looks_good ? SliceState::good : SliceState::ambiguous;

  result.image.reserve(seen.size());
  for (const float x : seen) result.image.push_back(static_cast<std::uint8_t>(x));
  return result;
}

SimulatedRun simulate_run(const SimulatorOptions& options, std::uint64_t seed, int animal) {
  SimulatedAnimal rat(options, seed, animal);
  SimulatedRun run{.geometry = rat.geometry(), .images = {}, .truth = {}};
  const int slices = run.geometry.slices;
  for (int v = 0; v < run.geometry.volumes; ++v)
    for (int s = 0; s < slices; ++s) {
      const SimulatedSlice slice = rat.slice(v, s);
      run.images.insert(run.images.end(), slice.image.begin(), slice.image.end());
      run.truth.push_back(slice.truth);
    }
  return run;
}

}  // namespace ratnet::inline v1
