// Files of records that only grow, in TensorFlow's TFRecord framing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ratnet::inline v1 {

// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of the bytes.
std::uint32_t crc32c(std::string_view bytes);

// A record is [length u64][masked CRC of the length u32][bytes][masked CRC of the bytes u32], all
// little-endian. Masked: turned right by 15 bits, plus 0xA282EAD8.
std::string framed_record(std::string_view bytes);

// A new file. Every append is with the system when the call returns, so a program that dies leaves
// all records before its death readable. Not for several threads at once.
class RecordFile {
 public:
  // Throws Error (file_system), also where the file is there already.
  explicit RecordFile(std::string path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  // Throws Error (file_system), with the file cut back to its last whole record.
  void append(std::string_view bytes);

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;  // bytes of whole records
};

}  // namespace ratnet::inline v1
