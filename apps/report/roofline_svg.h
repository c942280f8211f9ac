// Layers under the roofs of a machine, as a picture: one SVG file without scripts, styles or fonts
// from elsewhere (Williams, Waterman and Patterson, "Roofline: an insightful visual performance
// model for multicore architectures", 2009).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ratnet::inline v1 {

struct Roofline {
  double flops_per_s = 0;  // the flat roof
  struct Slope {
    std::string name;
    double bytes_per_s = 0;
  };
  std::vector<Slope> slopes;  // of the memories, the fastest first
  struct Layer {
    std::string name;
    double flops = 0;
    double bytes = 0;
    double seconds = 0;
  };
  std::vector<Layer> layers;
};

// A point for each layer that computes (flops > 0), its area the share of the time of all; labels
// overlap neither points nor each other, and where there are too many for the room, some are left
// out, as the picture says. Throws Error (usage) where roofs, or seconds or bytes of a layer with
// flops, are not positive and finite, or no layer computes.
std::string roofline_svg(const Roofline& roofline, std::string_view title, std::string_view about);

}  // namespace ratnet::inline v1
