// Event files as they were written: their records, the messages in them, and what TensorBoard
// keeps.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../../core/atomic_file.h"
#include "../catch.h"

namespace ratnet::testing {

inline std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Bit by bit, as the polynomial is written in RFC 3720.
inline std::uint64_t masked_crc(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes)
    for (int bit = 0; bit < 8; ++bit) {
      const bool odd = ((crc ^ static_cast<unsigned>(static_cast<unsigned char>(byte)) >> bit) & 1);
      crc = (crc >> 1) ^ (odd ? 0x82F63B78u : 0);
    }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

// The contents of all whole records, and whether nothing is left over.
struct Records {
  std::vector<std::string> bodies;
  bool whole = true;
};

inline Records read_records(const std::string& path) {
  const std::string file = read_file(path, std::size_t{1} << 24);
  Records records;
  for (std::string_view rest = file; !rest.empty();) {
    if (rest.size() < 12) return records.whole = false, records;
    const std::uint64_t size = little_endian(rest.substr(0, 8));
    REQUIRE(little_endian(rest.substr(8, 4)) == masked_crc(rest.substr(0, 8)) % (1ull << 32));
    if (rest.size() < size + 16) return records.whole = false, records;
    const std::string_view body = rest.substr(12, size);
    REQUIRE(little_endian(rest.substr(12 + size, 4)) == masked_crc(body) % (1ull << 32));
    records.bodies.emplace_back(body);
    rest.remove_prefix(size + 16);
  }
  return records;
}

// The fields of a message by number: the bytes, or the eight of a varint.
using Fields = std::multimap<int, std::string>;

inline std::uint64_t read_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    REQUIRE((!bytes.empty() && shift < 64));
    const auto byte = static_cast<unsigned char>(bytes[0]);
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

inline Fields fields_of(std::string_view bytes) {
  Fields fields;
  while (!bytes.empty()) {
    const std::uint64_t key = read_varint(bytes);
    std::size_t size = key % 8 == 1 ? 8 : 4;
    if (key % 8 == 0) {
      const std::uint64_t value = read_varint(bytes);
      std::string eight(8, '\0');
      std::memcpy(eight.data(), &value, 8);
      fields.emplace(static_cast<int>(key >> 3), eight);
      continue;
    }
    if (key % 8 == 2) size = read_varint(bytes);
    REQUIRE(size <= bytes.size());
    fields.emplace(static_cast<int>(key >> 3), bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return fields;
}

inline std::string one(const Fields& fields, int number) {
  REQUIRE(fields.count(number) == 1);
  return fields.find(number)->second;
}

inline std::uint64_t whole(const Fields& fields, int number) {
  return little_endian(one(fields, number));
}

inline double real(std::string_view bytes) { return std::bit_cast<double>(little_endian(bytes)); }

// The one Value of an event's Summary.
inline Fields value_of(const std::string& event) {
  return fields_of(one(fields_of(one(fields_of(event), 5)), 1));
}

// A value of a training: one of number, picture and text.
struct Told {
  std::int64_t step = 0;
  std::string tag;
  float number = 0;
  std::string png, text;
  bool operator==(const Told&) const = default;
};

// All that TensorBoard shows of a folder: where a file says that it begins at a step, what older
// ones say of that step and later ones is dropped.
inline std::vector<Told> told_in(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) files.push_back(file.path());
  std::ranges::sort(files, {}, [](const auto& file) { return last_write_time(file); });
  std::vector<Told> all;
  for (const auto& file : files) {
    const Records records = read_records(file.string());
    CHECK(records.whole);
    for (const std::string& body : records.bodies) {
      const Fields event = fields_of(body);
      Told told;
      if (event.contains(2)) told.step = static_cast<std::int64_t>(whole(event, 2));
      if (event.contains(7)) std::erase_if(all, [&](const Told& t) { return t.step >= told.step; });
      if (!event.contains(5)) continue;
      const Fields value = value_of(body);
      told.tag = one(value, 1);
      if (value.contains(2))
        told.number = std::bit_cast<float>(static_cast<std::uint32_t>(whole(value, 2)));
      if (value.contains(4)) told.png = one(fields_of(one(value, 4)), 4);
      if (value.contains(8)) told.text = one(fields_of(one(value, 8)), 8);
      all.push_back(told);
    }
  }
  return all;
}

inline std::vector<Told> with_tag(const std::vector<Told>& all, const std::string& tag) {
  std::vector<Told> some;
  std::ranges::copy_if(all, std::back_inserter(some), [&](const Told& t) { return t.tag == tag; });
  return some;
}

}  // namespace ratnet::testing
