#include "atomic_file.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

namespace ratnet::inline v1 {
namespace {

[[noreturn]] void fail_errno(const std::string& path, const char* action) {
  fail(ErrorKind::file_system, path, ": ", action, ": ", std::strerror(errno));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  static std::atomic<unsigned> counter{0};
  temporary_ = text(path_, ".tmp-", getpid(), "-", counter++);
  descriptor_ = open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail_errno(path_, "cannot write");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_errno(path_, "cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail_errno(path_, "cannot write");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno(path_, "cannot rename into place");
  close(std::exchange(descriptor_, -1));
  // The rename itself reaches the disk with the folder; some file systems cannot do this.
  const int folder = open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
}

void write_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

std::string read_file(const std::string& path, std::size_t limit) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_errno(path, "cannot read");
  std::string content;
  char buffer[65536];
  ssize_t n = 0;
  while ((n = read(descriptor, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)) {
    if (n < 0) continue;
    content.append(buffer, static_cast<std::size_t>(n));
    if (content.size() > limit) {
      close(descriptor);
      fail(ErrorKind::input, path, ": longer than the ", limit, " bytes that are read of it");
    }
  }
  const int reason = errno;
  close(descriptor);
  errno = reason;
  if (n < 0) fail_errno(path, "cannot read");
  return content;
}

}  // namespace ratnet::inline v1
