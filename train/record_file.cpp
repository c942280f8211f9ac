#include "record_file.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // lowest power in the highest bit

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t remainder = i;
    for (int bit = 0; bit < 8; ++bit)
      remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    table[i] = remainder;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = make_table();

template <class Bits>
std::string little_endian(Bits bits) {
  std::string result;
  for (std::size_t i = 0; i < sizeof(Bits); ++i) result += static_cast<char>(bits >> (8 * i));
  return result;
}

std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8u; }

[[noreturn]] void fail_to_write(const std::string& path, int reason) {
  fail(ErrorKind::file_system, path, ": cannot write: ", std::strerror(reason));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes)
    crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return ~crc;
}

std::string framed_record(std::string_view bytes) {
  std::string record = little_endian<std::uint64_t>(bytes.size());
  record += little_endian(masked(crc32c(record)));
  record += bytes;
  record += little_endian(masked(crc32c(bytes)));
  return record;
}

RecordFile::RecordFile(std::string path) : path_(std::move(path)) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_to_write(path_, errno);
}

RecordFile::~RecordFile() { close(descriptor_); }

void RecordFile::append(std::string_view bytes) {
  const std::string record = framed_record(bytes);
  for (std::string_view rest = record; !rest.empty();) {
    const ssize_t n = write(descriptor_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int reason = errno;
      // Nothing behind half a record could be read.
      (void)!ftruncate(descriptor_, size_);
      fail_to_write(path_, reason);
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  size_ += static_cast<std::int64_t>(record.size());
}

}  // namespace ratnet::inline v1
