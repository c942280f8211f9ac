// A second opinion where a run is at hand: how much darker a slice is than the same slice at other
// times. It finds mild events that a single image does not give away.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ratnet::inline v1 {

// Runs shorter than this have no usual level to compare with.
constexpr std::int64_t kLeastVolumesForTime = 10;

// -log(level / median of the slice's levels over all volumes), limited to -0.3..0.5: 0.1 means 10%
// darker than usual. levels: [volumes * slices], slices fastest; NaN marks empty slices, whose
// value is 0. All 0 for runs of fewer than kLeastVolumesForTime volumes.
std::vector<double> dimming_through_time(std::span<const float> levels, std::int64_t slices);

// Log-odds of dark from the network's calibrated log-odds and the dimming through time, by a
// logistic regression fitted once on simulated runs. What it gains is in models/ratnet.md.
double add_time_opinion(double log_odds, double dimming);

}  // namespace ratnet::inline v1
