// The safetensors format: 8 bytes of header length, a JSON header, raw little-endian tensors. Read
// by Python's `safetensors`; small enough to trust with hostile files.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../core/queue.h"
#include "../core/tensor.h"

namespace ratnet::inline v1 {

// A file mapped into memory; its tensors are views into it.
class SafetensorsFile {
 public:
  // Bounds before anything is believed: a header of at most 16 MiB, at most 65,536 tensors of rank
  // Shape::kMaxRank, each inside the file, none overlapping, sizes that match their shapes. Throws
  // Error: file_system where the file cannot be read, input (beginning with the path) where it is
  // not such a file.
  explicit SafetensorsFile(const std::string& path);
  // The same for bytes in memory (`name` for messages), which must outlive this object.
  SafetensorsFile(std::span<const std::byte> bytes, const std::string& name);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  const std::map<std::string, std::string>& metadata() const;
  const std::map<std::string, ConstView>& tensors() const;
  // Throws Error (input) where there is none of that name.
  ConstView find(const std::string& name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct NamedView {
  std::string name;
  ConstView value;
  Queue* queue = nullptr;  // in whose memory it is; null: the host's
};

// Writes the tensors in the order given, whole or not at all; what is in a queue's memory comes
// piece by piece, so that the host holds no copy of it. Throws Error (file_system).
void write_safetensors(const std::string& path, const std::map<std::string, std::string>& metadata,
                       const std::vector<NamedView>& tensors);

}  // namespace ratnet::inline v1
