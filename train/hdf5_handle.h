// The HDF5 library as C++: handles that close themselves, silence, one caller at a time.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

namespace ratnet::inline v1 {

// Any HDF5 identifier (hid_t), released on destruction.
class Hdf5Id {
 public:
  Hdf5Id() = default;
  explicit Hdf5Id(std::int64_t id) : id_(id) {}
  Hdf5Id(Hdf5Id&& other) noexcept;
  Hdf5Id& operator=(Hdf5Id&& other) noexcept;
  ~Hdf5Id();

  std::int64_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  std::int64_t id_ = -1;
};

// The library has global state: whoever calls it, or forks a child that will, holds this. Only the
// entry points (dataset, description, writer) lock; what they call expects it locked, except for
// what is handed the lock, to take it as briefly as it can (hdf5_chunks.h).
std::mutex& hdf5_mutex();

// While it lives, the library prints nothing on this thread.
class Hdf5Silence {
 public:
  Hdf5Silence();
  ~Hdf5Silence();
  Hdf5Silence(const Hdf5Silence&) = delete;
  Hdf5Silence& operator=(const Hdf5Silence&) = delete;

 private:
  int (*print_)(std::int64_t, void*) = nullptr;
  void* context_ = nullptr;
};

// What the library says of its last failure, on one printable line.
std::string hdf5_reason();

// The text without control characters and cut to a sensible length: names from a foreign file.
std::string printable(const std::string& text);

// Opens for reading. Throws Error (input) with hdf5_reason().
Hdf5Id open_hdf5_file(const std::string& path);

}  // namespace ratnet::inline v1
