// How long each layer of a forward pass takes on a CPU, beside what it computes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../../kernels/cpu/machine_peaks.h"
#include "../../network/layer_work.h"
#include "../../network/plan.h"

namespace ratnet::inline v1 {

struct LayerTime {
  std::string name;
  std::string_view kind;
  std::string algorithm;  // of each of its operations, and why others were declined
  LayerWork work;
  double seconds = 0;  // median over the rounds
  double least = 0, most = 0;
};

struct LayerTimes {
  std::vector<LayerTime> layers;  // as fused, those that do something
  double pass_seconds = 0;        // of whole passes, median over the rounds
  MachinePeaks peaks;

  double sum() const;    // of the layers' seconds
  double flops() const;  // of a pass
};

// Rounds of one pass layer by layer, in the order of every pass so that caches are as in life, and
// one whole pass; a first round is not counted. The inputs are there already; every pass starts
// from them. Throws Error (usage) for less than 1 round, (device) for a plan that is not on a CPU.
LayerTimes time_layers(Plan& plan, std::int64_t batch, int rounds);

}  // namespace ratnet::inline v1
