// What a GPU could do at most, as its maker states it.
#pragma once

#include <string_view>

#include "../../core/precision.h"

namespace ratnet::inline v1 {

// 0 where it is not known.
struct Peaks {
  double f32 = 0, tf32 = 0, bf16 = 0;  // TFLOP/s, without sparsity
  double memory = 0;                   // GB/s
  const char* source = "";

  double of(Precision precision) const;  // TFLOP/s
};

// Of the device with that description (Queue::description).
Peaks peaks_of(std::string_view description);

}  // namespace ratnet::inline v1
