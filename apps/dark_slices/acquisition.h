// How a slice is scanned: fast spin echo in several shots. The lines of k-space are shared out
// among the shots in turn (line ky belongs to shot ky mod shots), so a shot that loses signal makes
// the slice darker and repeats it along the phase-encode direction (ghosts).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../../core/random.h"
#include "phase_encode.h"

namespace ratnet::inline v1 {

constexpr int kEchoTrain = 16;  // lines a shot reads

// What went wrong while one slice was read.
struct ShotErrors {
  struct Shot {
    std::vector<float> gain;   // [readout], 1 = undisturbed
    std::vector<float> phase;  // [readout], radians
    float phase_shift = 0;     // displacement in pixels along phase encoding
    float readout_shift = 0;   // and along readout
  };
  std::vector<Shot> shots;
  float centre_loss = 0;   // share of signal lost at the centre of k-space
  float centre_width = 1;  // standard deviation of that loss in lines
};

// A scan with nothing wrong.
ShotErrors undisturbed(int shots, int readout);

// What a good slice has all the same: shots that differ by a few percent (standard deviation
// `size` of the gain, 1.5 times that in radians).
ShotErrors shot_instability(Random& random, int shots, int readout, double size);

// Adds the loss of signal that makes a slice dark; `severity` 0 (nothing) to 1.
void add_dropout(Random& random, ShotErrors& errors, double severity);

// Adds the dimming of all shots alike, without ghosts: signal times `gain`.
void add_dimming(ShotErrors& errors, double gain);

// Scans `object` [size, size] (rows, columns): Fourier transform along the phase-encode axis, shot
// by shot errors, back again, noise of standard deviation `noise` in both parts of the complex
// image, magnitude. Result [size, size] f32.
std::vector<float> acquire(std::span<const float> object, int size, PhaseEncodeAxis axis,
                           const ShotErrors& errors, double noise, Random& random);

}  // namespace ratnet::inline v1
