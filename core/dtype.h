// Element types of tensors and files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ratnet::inline v1 {

enum class DType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, u16, u8, i8 };

// Bytes of one element.
constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32: return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16: return 2;
    case DType::u8:
    case DType::i8: return 1;
  }
  return 0;
}

// "f32", "u8", ...
std::string_view name_of(DType type);

// The inverse of name_of. Throws Error (input) for an unknown name.
DType parse_dtype(std::string_view name);

// The DType of a C++ element type. f16 and bf16 have none: they are stored as their bits.
template <class T>
struct dtype_of_t;
template <>
struct dtype_of_t<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct dtype_of_t<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct dtype_of_t<std::int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct dtype_of_t<std::int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct dtype_of_t<std::int16_t> {
  static constexpr DType value = DType::i16;
};
template <>
struct dtype_of_t<std::uint16_t> {
  static constexpr DType value = DType::u16;
};
template <>
struct dtype_of_t<std::uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct dtype_of_t<std::int8_t> {
  static constexpr DType value = DType::i8;
};
template <class T>
inline constexpr DType dtype_of = dtype_of_t<T>::value;

// IEEE 754 binary16 and bfloat16, stored as 16 bits; rounding is to nearest even.
float f16_to_float(std::uint16_t bits);
std::uint16_t float_to_f16(float value);
float bf16_to_float(std::uint16_t bits);
std::uint16_t float_to_bf16(float value);

}  // namespace ratnet::inline v1
