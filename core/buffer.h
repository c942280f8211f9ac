// Memory that a queue's work uses.
#pragma once

#include "queue.h"

namespace ratnet::inline v1 {

// Memory of a queue's device, or the host's that it reaches best; released on destruction.
class QueueMemory {
 public:
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 protected:
  enum class Where : bool { device, host };

  QueueMemory() = default;
  QueueMemory(QueueHandle queue, std::size_t bytes, Where where);
  QueueMemory(QueueMemory&& other) noexcept;
  QueueMemory& operator=(QueueMemory&& other) noexcept;
  ~QueueMemory();

  QueueHandle queue_;

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  Where where_ = Where::device;
};

// Memory on a queue's device.
class Buffer : public QueueMemory {
 public:
  Buffer() = default;
  Buffer(QueueHandle queue, std::size_t bytes);

  void upload(const void* from, std::size_t bytes, std::size_t offset = 0);
  void download(void* to, std::size_t bytes, std::size_t offset = 0) const;
  void clear();
};

// Host memory that is fast to copy from and to (pinned, on a GPU). Filled with zeros.
class HostBuffer : public QueueMemory {
 public:
  HostBuffer() = default;
  HostBuffer(QueueHandle queue, std::size_t bytes);
};

}  // namespace ratnet::inline v1
