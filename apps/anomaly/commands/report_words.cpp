#include "report_words.h"

#include <cmath>

#include "../../report/html.h"
#include "../../report/map_legend.h"

namespace ratnet::inline v1 {
namespace {

std::string or_dash(const char* how, double value) {
  return std::isnan(value) ? "\xE2\x80\x93" : format(how, value);
}

}  // namespace

std::string score_words(double score) { return or_dash("%.3g", score); }
std::string p_value_words(double p_value) { return or_dash("%.2g", p_value); }
std::string position_words(double position) { return or_dash("%.2f", position); }

Tone tone_of(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::unusual: return Tone::alert;
    case VerdictKind::usual: return Tone::calm;
    case VerdictKind::unjudged: break;
  }
  return Tone::unclear;
}

std::string key(std::string_view kind, std::string_view words) {
  return element(
      "li", {},
      element("span", {{"class", "key " + std::string(kind)}}) + text_element("span", words));
}

}  // namespace ratnet::inline v1
