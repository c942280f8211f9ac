#include "kernel.h"

namespace ratnet::inline v1 {

Values kernel_values(const Peaks& peaks, const Cost& cost, double seconds) {
  Values values = {{"us", seconds * 1e6}, {"gb_per_s", cost.bytes * 1e-9 / seconds}};
  if (peaks.memory > 0)
    values.emplace_back("share_of_bandwidth", values.back().second / peaks.memory);
  if (cost.flop > 0) {
    values.emplace_back("tflop_per_s", cost.flop * 1e-12 / seconds);
    const double peak = peaks.of(cost.precision);
    if (peak > 0) values.emplace_back("share_of_peak", values.back().second / peak);
  }
  return values;
}

std::string only_algorithm(const Survey& survey) {
  return survey.steps.empty() ? "" : survey.steps.front().algorithm;
}

}  // namespace ratnet::inline v1
