// How exactly convolutions and dense layers multiply.
#pragma once

#include <cstdint>
#include <string_view>

namespace ratnet::inline v1 {

// Of products of f32 tensors; sums, and everything else, are f32 whatever it says. f32: exact to
// f32. tf32 and bf16, on GPUs alone: factors are rounded to 11 and 8 significant bits first, which
// is what tensor cores multiply. f64 tensors are always multiplied in f64.
enum class Precision : std::uint8_t { f32, tf32, bf16 };

// "f32", "tf32", "bf16".
std::string_view name_of(Precision precision);
// Throws Error (usage) for anything else.
Precision parse_precision(std::string_view name);

}  // namespace ratnet::inline v1
