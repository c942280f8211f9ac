#include "protobuf.h"

#include <bit>

namespace ratnet::inline v1 {
namespace {

constexpr std::uint64_t kVarint = 0;
constexpr std::uint64_t kFixed64 = 1;
constexpr std::uint64_t kLengthDelimited = 2;
constexpr std::uint64_t kFixed32 = 5;

}  // namespace

void ProtoMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) encoded_ += static_cast<char>(value | 0x80);
  encoded_ += static_cast<char>(value);
}

void ProtoMessage::key(int field, std::uint64_t wire_type) {
  varint(static_cast<std::uint64_t>(field) << 3 | wire_type);
}

template <class Bits>
void ProtoMessage::fixed(Bits bits) {
  for (std::size_t i = 0; i < sizeof(Bits); ++i) encoded_ += static_cast<char>(bits >> (8 * i));
}

ProtoMessage& ProtoMessage::integer(int field, std::int64_t value) {
  key(field, kVarint);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtoMessage& ProtoMessage::real(int field, double value) {
  key(field, kFixed64);
  fixed(std::bit_cast<std::uint64_t>(value));
  return *this;
}

ProtoMessage& ProtoMessage::single(int field, float value) {
  key(field, kFixed32);
  fixed(std::bit_cast<std::uint32_t>(value));
  return *this;
}

ProtoMessage& ProtoMessage::bytes(int field, std::string_view value) {
  key(field, kLengthDelimited);
  varint(value.size());
  encoded_ += value;
  return *this;
}

ProtoMessage& ProtoMessage::reals(int field, std::span<const double> values) {
  key(field, kLengthDelimited);
  varint(values.size() * sizeof(double));
  for (const double value : values) fixed(std::bit_cast<std::uint64_t>(value));
  return *this;
}

}  // namespace ratnet::inline v1
