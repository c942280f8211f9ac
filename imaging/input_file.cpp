#include "input_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

gzFile stream_of(void* stream) { return static_cast<gzFile>(stream); }

[[noreturn]] void fail_read(const std::string& path, void* stream) {
  int status = 0;
  const char* message = gzerror(stream_of(stream), &status);
  if (status == Z_ERRNO)
    fail(ErrorKind::file_system, path, ": cannot read: ", std::strerror(errno));
  if (status == Z_BUF_ERROR)
    fail(ErrorKind::input, path,
         ": the gzip data end too early; the file is truncated, get it anew");
  if (status == Z_MEM_ERROR) fail(ErrorKind::device, path, ": out of memory while unpacking");
  // zlib puts the name in front of its reason.
  const std::string reason = message;
  const std::size_t colon = reason.rfind(": ");
  fail(ErrorKind::input, path, ": the gzip data are damaged (",
       colon == std::string::npos ? reason : reason.substr(colon + 2), "); get the file anew");
}

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // Without O_NONBLOCK a pipe would hang here.
  const int descriptor = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(ErrorKind::file_system, path_, ": cannot open: ", std::strerror(errno));
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    fail(ErrorKind::input, path_, ": is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  unsigned char start[2] = {};
  gzip_ = pread(descriptor, start, 2, 0) == 2 && start[0] == 0x1f && start[1] == 0x8b;
  stream_ = gzdopen(descriptor, "rb");
  if (!stream_) {
    close(descriptor);
    fail(ErrorKind::device, path_, ": out of memory while opening");
  }
  gzbuffer(stream_of(stream_), 1u << 18);
}

InputFile::~InputFile() { gzclose_r(stream_of(stream_)); }

std::size_t InputFile::read_some(std::span<std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto wanted = static_cast<unsigned>(std::min<std::size_t>(bytes.size() - done, 1u << 30));
    const int n = gzread(stream_of(stream_), bytes.data() + done, wanted);
    if (n < 0) fail_read(path_, stream_);
    if (n == 0) {
      // The end, or the end of a stream that was cut off.
      int error = 0;
      gzerror(stream_of(stream_), &error);
      if (error != Z_OK && error != Z_STREAM_END) fail_read(path_, stream_);
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  return done;
}

void InputFile::read(std::span<std::byte> bytes, const char* what) {
  const std::size_t n = read_some(bytes);
  if (n < bytes.size())
    fail(ErrorKind::input, path_, ": ends ", bytes.size() - n, " bytes before the end of the ",
         what, "; the file is truncated, get it anew");
}

void InputFile::skip(std::uint64_t n) {
  if (n > 0 && gzseek(stream_of(stream_), static_cast<z_off_t>(n), SEEK_CUR) < 0)
    fail_read(path_, stream_);
}

void InputFile::verify_end(std::uint64_t limit) {
  if (!gzip_) return;
  std::byte buffer[16384];
  while (limit > 0) {
    const std::size_t n = read_some({buffer, std::min<std::uint64_t>(sizeof buffer, limit)});
    if (n == 0) break;
    limit -= n;
  }
}

}  // namespace ratnet::inline v1
