// Files that are whole or absent: written under a temporary name, flushed, then renamed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ratnet::inline v1 {

// Opens `path`.tmp-<pid>-<n> in the same folder. commit() flushes it to the disk and renames it to
// `path`; without commit() the destructor removes it. Every failure throws Error (file_system)
// with the path and the system's reason (a full disk, a missing folder, no permission).
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view characters) {
    write(std::as_bytes(std::span(characters.data(), characters.size())));
  }

  // For libraries that open files by name: they write here, then commit() as usual.
  const std::string& temporary_path() const { return temporary_; }

  void commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

// Writes the whole text at once.
void write_file(const std::string& path, std::string_view content);

// Reads a file of at most `limit` bytes. Throws Error: file_system when it cannot be read, input
// when it is longer.
std::string read_file(const std::string& path, std::size_t limit);

}  // namespace ratnet::inline v1
