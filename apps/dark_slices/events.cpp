#include "events.h"

#include <algorithm>
#include <cmath>

#include "../../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr double kT1 = 1.8;  // seconds, brain at 7 T

}  // namespace

std::vector<int> interleaved_order(int slices) {
  std::vector<int> order;
  for (int s = 0; s < slices; s += 2) order.push_back(s);
  for (int s = 1; s < slices; s += 2) order.push_back(s);
  return order;
}

std::vector<SliceEvent> draw_events(Random& random, int volumes, int slices, double fraction,
                                    double repetition_time) {
  require(volumes >= 1 && slices >= 1, "a run needs at least one volume and one slice");
  require(fraction >= 0 && fraction <= 0.5, "events in ", fraction,
          " of the slices: at most half of them can be dark");
  std::vector<SliceEvent> events(static_cast<std::size_t>(volumes) *
                                 static_cast<std::size_t>(slices));
  const auto at = [&](int volume, int slice) -> SliceEvent& {
    return events[static_cast<std::size_t>(volume) * static_cast<std::size_t>(slices) +
                  static_cast<std::size_t>(slice)];
  };
  const std::vector<int> order = interleaved_order(slices);
  const auto wanted = static_cast<int>(std::lround(fraction * volumes * slices));
  int dark = 0;
  while (dark < wanted) {
    const double kind = random.uniform();
    int reach = 1;  // slices in a row
    if (kind > 0.6) reach = 2 + static_cast<int>(random.integer(3));
    if (kind > 0.93) reach = slices;
    int lasts = 1 + static_cast<int>(random.integer(3));
    if (reach == slices) lasts = 1;
    reach = std::min(reach, slices);
    if (reach > 1 && reach * lasts > wanted - dark) continue;
    const int first = static_cast<int>(random.integer(slices - reach + 1));
    const int start = static_cast<int>(random.integer(volumes));
    const double severity = random.uniform(0.3, 1);
    const bool pure_dimming = random.chance(0.05);
    const double dimmed = random.uniform(0.15, 0.62);
    const double disturbed = random.uniform(0.1, 0.5);  // share of magnetisation to recover
    const int recovery = 1 + static_cast<int>(random.integer(3));
    for (int i = first; i < first + reach; ++i) {
      const int slice = order[static_cast<std::size_t>(i)];
      for (int v = start; v < std::min(volumes, start + lasts); ++v) {
        SliceEvent& event = at(v, slice);
        if (!event.dropout) ++dark;
        event.dropout = true;
        event.severity =
            static_cast<float>(std::clamp(severity * random.uniform(0.8, 1.25), 0.3, 1.0));
        event.pure_dimming = pure_dimming;
        event.gain = static_cast<float>(pure_dimming ? dimmed : 1);
      }
      for (int r = 1; r <= recovery && start + lasts - 1 + r < volumes; ++r) {
        SliceEvent& event = at(start + lasts - 1 + r, slice);
        if (!event.dropout)
          event.gain = static_cast<float>(1 - disturbed * std::exp(-r * repetition_time / kT1));
      }
    }
  }
  return events;
}

}  // namespace ratnet::inline v1
