// The times of layers as a table, as JSON and as a picture.
#pragma once

#include <string>

#include "layer_times.h"

namespace ratnet::inline v1 {

// What was measured.
struct LayerSetting {
  std::string model;
  std::int64_t batch = 0;
  int rounds = 0;
  std::string stored;  // what inputs were stored as
};

std::string layers_in_words(const LayerTimes& times, const LayerSetting& setting);
std::string layers_json(const LayerTimes& times, const LayerSetting& setting);
// Throws Error (usage) where no layer multiplies.
std::string layers_svg(const LayerTimes& times, const LayerSetting& setting);

}  // namespace ratnet::inline v1
