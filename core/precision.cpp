#include "precision.h"

#include <iterator>

#include "error.h"

namespace ratnet::inline v1 {
namespace {
constexpr std::string_view kNames[] = {"f32", "tf32", "bf16"};
}

std::string_view name_of(Precision precision) {
  return kNames[static_cast<std::size_t>(precision)];
}

Precision parse_precision(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == name) return static_cast<Precision>(i);
  fail(ErrorKind::usage, "unknown precision '", std::string(name.substr(0, 32)),
       "': use f32, tf32 or bf16");
}

}  // namespace ratnet::inline v1
