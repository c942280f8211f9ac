// Measurements on demand, one round each, for a comparison in which contenders take turns.
#pragma once

#include "measurement.h"

namespace ratnet::inline v1 {

// inputs: a file of bare u8 slices; outputs: gets RatNet's logits of them, bare f32, computed in
// f32. Says what it is, then answers every line of the input, a key, with one line of JSON: what a
// round gave, or {"failed": why}. Only the last key stays prepared.
void serve(const Measurements& all, const Subject& subject, const std::string& inputs,
           const std::string& outputs);

}  // namespace ratnet::inline v1
