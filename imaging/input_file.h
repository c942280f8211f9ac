// Reads a file from front to back, unpacking gzip on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ratnet::inline v1 {

// Whether a file is gzip is told from its first bytes, not from its name. Throws Error:
// file_system when the file cannot be opened or read, input when it is no regular file, damaged or
// too short.
class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size_on_disk() const { return size_; }
  bool gzip() const { return gzip_; }

  // Up to bytes.size() bytes; fewer only at the end.
  std::size_t read_some(std::span<std::byte> bytes);
  // Exactly bytes.size() bytes; `what` names them in the message.
  void read(std::span<std::byte> bytes, const char* what);
  // Moves n bytes on; past the end of a plain file is noticed by the next read.
  void skip(std::uint64_t n);
  // Reads on to the end, at most `limit` bytes, so that gzip's checksum is verified.
  void verify_end(std::uint64_t limit);

 private:
  std::string path_;
  std::uint64_t size_ = 0;
  bool gzip_ = false;
  void* stream_ = nullptr;  // gzFile
};

}  // namespace ratnet::inline v1
