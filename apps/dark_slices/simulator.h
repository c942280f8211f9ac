// Simulated awake-rat fMRI: whole runs, or single slices of them, with the truth about every slice.
//
// Physics: fast spin echo at 7 T, coronal slices, TR 2.5 s, echo train 16 (64 lines are 4 shots).
// A shot that loses signal makes its slice darker and ghosts it along the phase-encode direction.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "events.h"
#include "phantom.h"
#include "phase_encode.h"

namespace ratnet::inline v1 {

struct SimulatorOptions {
  int volumes = 70;
  int slices = 15;  // 5 to 30
  int matrix = 64;  // pixels a side, a multiple of 16 from 64 to 128
  PhaseEncodeAxis axis = PhaseEncodeAxis::left_right;
  double events = 0;     // share of slices with an event; 0 draws it per run from 0.5 to 8%
  int least_events = 0;  // slices with an event that a run has at least (up to half of all)
  double varied = 0;  // share of the animals that get a matrix, slice count and axis of their own

  void check() const;  // throws Error (usage)
};

struct RunGeometry {
  int volumes = 0, slices = 0, matrix = 0;
  PhaseEncodeAxis axis = PhaseEncodeAxis::left_right;
  double field_of_view = 32;     // mm, both sides
  double slice_spacing = 1;      // mm
  double repetition_time = 2.5;  // s

  double pixel() const { return field_of_view / matrix; }  // mm
};

enum class SliceState : std::uint8_t {
  good,       // as it should be: brain above 0.90 of clean, ghost below 0.18, brain error below 0.2
  dark,       // an event: brain below 0.85 of clean or ghost above 0.23
  ambiguous,  // what lies between
  empty,      // all zero
};

// The truth about one slice.
struct SliceTruth {
  SliceState state = SliceState::good;
  bool event = false;     // something happened, however little of it shows
  float level = 1;        // mean in the brain over that of the clean slice
  float ghost = 0;        // outer columns (rows) beside the head over mean in the brain
  float brain_error = 0;  // mean absolute difference to the clean slice over its mean

  // A dark slice that anybody would call dark.
  bool clear() const { return state == SliceState::dark && (ghost > 0.25f || level < 0.6f); }
  // 0 good, 1 dark, 255 ambiguous or empty.
  std::uint8_t label() const;
};

struct SimulatedSlice {
  std::vector<std::uint8_t> image;  // [matrix, matrix], row 0 dorsal, column 0 left
  SliceTruth truth;
};

// One run of one animal. Every slice comes from a random stream of its own, so slices may be made
// in any order, on any thread, and whole runs hold the same slices as cohorts.
class SimulatedAnimal {
 public:
  SimulatedAnimal(const SimulatorOptions& options, std::uint64_t seed, int animal);

  const RunGeometry& geometry() const { return geometry_; }
  // [volumes * slices], slices fastest.
  const std::vector<SliceEvent>& events() const { return events_; }
  bool is_padding(int slice) const;

  // Not safe from several threads at once: the still head is drawn when first asked for.
  SimulatedSlice slice(int volume, int slice);

 private:
  struct StillSlice {
    std::vector<float> image;          // [matrix, matrix], before gains that change with time
    std::vector<std::uint8_t> brain;   // [matrix, matrix]
    std::vector<std::uint8_t> beside;  // [matrix, matrix], air where ghosts are measured
  };
  const StillSlice& still(int slice);

  std::uint64_t seed_;
  int animal_;
  RunGeometry geometry_;
  std::optional<Phantom> phantom_;
  std::vector<SliceEvent> events_;
  double gain_ = 1, front_to_back_ = 0, noise_ = 2, instability_ = 0.06;
  double drift_ = 0, drift_phase_ = 0, drift_cycles_ = 1, bold_ = 0.01, first_volume_ = 1;
  double first_z_ = 0, last_z_ = 14;
  int padding_ = 0;  // slices at the end that are all zero
  std::optional<NoiseField> bias_;
  std::vector<StillSlice> still_;
};

// A whole run in memory.
struct SimulatedRun {
  RunGeometry geometry;
  std::vector<std::uint8_t> images;  // [volumes, slices, matrix, matrix]
  std::vector<SliceTruth> truth;     // [volumes * slices], slices fastest
};

SimulatedRun simulate_run(const SimulatorOptions& options, std::uint64_t seed, int animal);

}  // namespace ratnet::inline v1
