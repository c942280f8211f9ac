#include <cstdio>

#include <nlohmann/json.hpp>

#include "descriptions.h"

namespace ratnet::inline v1 {

using Json = nlohmann::ordered_json;

std::string scan_json(const NiftiInfo& info, const SliceLayout& layout) {
  const ScanGeometry& g = info.geometry;
  const Json json = {
      {"type", "scan"},
      {"format", describe(info)},
      {"sizes", g.sizes},
      {"volumes", g.times},
      {"spacing_mm", g.spacing},
      {"orientation", g.orientation},
      {"orientation_known", g.orientation_known},
      {"affine_source", info.affine_source},
      {"affine", g.affine},
      {"repetition_time_s", g.repetition_time ? Json(*g.repetition_time) : Json(nullptr)},
      {"slope", info.slope},
      {"intercept", info.intercept},
      {"slice_axis", layout.axis},
      {"slices", layout.slices},
      {"slice_reason", layout.reason},
      {"notes", info.notes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

void print_scan(const NiftiInfo& info, const SliceLayout& layout) {
  const ScanGeometry& g = info.geometry;
  std::printf("%s: %lld x %lld x %lld", describe(info).c_str(), static_cast<long long>(g.sizes[0]),
              static_cast<long long>(g.sizes[1]), static_cast<long long>(g.sizes[2]));
  if (g.times > 1) std::printf(", %lld volumes", static_cast<long long>(g.times));
  std::printf("\n  spacing %g x %g x %g mm, orientation %s (%s)\n", g.spacing[0], g.spacing[1],
              g.spacing[2], g.orientation.c_str(), info.affine_source.c_str());
  if (g.repetition_time) std::printf("  repetition time %g s\n", *g.repetition_time);
  if (info.slope != 1 || info.intercept != 0)
    std::printf("  value = %g x stored + %g\n", info.slope, info.intercept);
  std::printf("  %s\n", layout.reason.c_str());
  for (const std::string& note : info.notes) std::printf("  note: %s\n", note.c_str());
}

}  // namespace ratnet::inline v1
