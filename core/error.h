// The one exception type of the library. Its kind is the exit code of the program.
#pragma once

#include <stdexcept>
#include <string>

#include "text.h"

namespace ratnet::inline v1 {

enum class ErrorKind : int {
  internal = 1,     // a fault of ours
  usage = 2,        // a wrong argument or a call that makes no sense
  input = 3,        // a file or array that cannot be used as it is
  device = 4,       // the device is absent, out of memory or failed
  file_system = 5,  // a file cannot be opened, written or renamed
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}

  ErrorKind kind() const { return kind_; }

  // The same error with what the caller knows put in front: "model.safetensors: " + what().
  Error with_context(const std::string& where) const { return Error(kind_, where + ": " + what()); }

 private:
  ErrorKind kind_;
};

// Throws Error{kind, the parts joined}.
template <class... Parts>
[[noreturn]] void fail(ErrorKind kind, const Parts&... parts) {
  throw Error(kind, text(parts...));
}

// Throws an Error of kind `usage` unless `condition` holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) fail(ErrorKind::usage, parts...);
}

}  // namespace ratnet::inline v1
