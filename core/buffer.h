// Memory that a queue's work uses.
#pragma once

#include "queue.h"

namespace ratnet::inline v1 {

// Memory on a queue's device, released on destruction.
class Buffer {
 public:
  Buffer() = default;
  Buffer(QueueHandle queue, std::size_t bytes);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  void upload(const void* from, std::size_t bytes, std::size_t offset = 0);
  void download(void* to, std::size_t bytes, std::size_t offset = 0) const;
  void clear();

 private:
  QueueHandle queue_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Host memory that is fast to copy from and to (pinned, on a GPU), released on destruction. Filled
// with zeros.
class HostBuffer {
 public:
  HostBuffer() = default;
  HostBuffer(QueueHandle queue, std::size_t bytes);
  HostBuffer(HostBuffer&& other) noexcept;
  HostBuffer& operator=(HostBuffer&& other) noexcept;
  ~HostBuffer();

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  QueueHandle queue_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace ratnet::inline v1
