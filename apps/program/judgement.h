// What a judge found, as files have it.
#pragma once

#include <string>

#include "../../train/judge.h"

namespace ratnet::inline v1 {

// {"samples": ..., "loss": ...}, of a classification "accuracy" and "auroc", of a segmentation
// "dice" and "dice_by_class". NaN is null.
std::string to_json(const Judgement& judgement);

}  // namespace ratnet::inline v1
