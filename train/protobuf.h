// Messages in the wire format of Protocol Buffers, written field by field: each value under its
// number and wire type (protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ratnet::inline v1 {

// A message as its bytes; fields stand in the order of the calls. Field numbers are 1 and above.
class ProtoMessage {
 public:
  ProtoMessage& integer(int field, std::int64_t value);    // int64, int32, bool, enum: a varint
  ProtoMessage& real(int field, double value);             // double
  ProtoMessage& single(int field, float value);            // float
  ProtoMessage& bytes(int field, std::string_view value);  // bytes, and string where it is UTF-8
  ProtoMessage& message(int field, const ProtoMessage& value) {
    return bytes(field, value.encoded());
  }
  ProtoMessage& reals(int field, std::span<const double> values);  // repeated double, packed

  const std::string& encoded() const { return encoded_; }

 private:
  void varint(std::uint64_t value);
  void key(int field, std::uint64_t wire_type);
  template <class Bits>
  void fixed(Bits bits);

  std::string encoded_;
};

}  // namespace ratnet::inline v1
