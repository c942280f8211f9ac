// Numbers and keys as both kinds of anomaly report write them.
#pragma once

#include <string>
#include <string_view>

#include "../../report/page.h"
#include "verdict.h"

namespace ratnet::inline v1 {

// An en dash for NaN.
std::string score_words(double score);
std::string p_value_words(double p_value);
std::string position_words(double position);

Tone tone_of(VerdictKind kind);

// One entry of a chart's legend. kind: "calm", "alert", "unclear", "hollow", "band", "level" or
// "dashed".
std::string key(std::string_view kind, std::string_view words);

}  // namespace ratnet::inline v1
