#include "buffer.h"

#include <cstring>
#include <utility>

namespace ratnet::inline v1 {

Buffer::Buffer(QueueHandle queue, std::size_t bytes) : queue_(std::move(queue)), bytes_(bytes) {
  checked([&](char* why, std::size_t room) {
    return queue_->allocate(*queue_, bytes, &data_, why, room);
  });
}

Buffer::Buffer(Buffer&& other) noexcept
    : queue_(std::move(other.queue_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(queue_, other.queue_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Buffer::~Buffer() {
  if (data_) queue_->release(*queue_, data_);
}

void Buffer::upload(const void* from, std::size_t bytes, std::size_t offset) {
  require(offset <= bytes_ && bytes <= bytes_ - offset, "upload of ", bytes, " bytes at ", offset,
          " into a buffer of ", bytes_);
  checked([&](char* why, std::size_t room) {
    return queue_->upload(*queue_, static_cast<char*>(data_) + offset, from, bytes, why, room);
  });
}

void Buffer::download(void* to, std::size_t bytes, std::size_t offset) const {
  require(offset <= bytes_ && bytes <= bytes_ - offset, "download of ", bytes, " bytes at ", offset,
          " from a buffer of ", bytes_);
  checked([&](char* why, std::size_t room) {
    return queue_->download(*queue_, to, static_cast<const char*>(data_) + offset, bytes, why,
                            room);
  });
}

void Buffer::clear() {
  checked([&](char* why, std::size_t room) {
    return queue_->clear(*queue_, data_, bytes_, why, room);
  });
}

HostBuffer::HostBuffer(QueueHandle queue, std::size_t bytes)
    : queue_(std::move(queue)), bytes_(bytes) {
  checked([&](char* why, std::size_t room) {
    return queue_->allocate_host(*queue_, bytes, &data_, why, room);
  });
  std::memset(data_, 0, bytes);
}

HostBuffer::HostBuffer(HostBuffer&& other) noexcept
    : queue_(std::move(other.queue_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

HostBuffer& HostBuffer::operator=(HostBuffer&& other) noexcept {
  std::swap(queue_, other.queue_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

HostBuffer::~HostBuffer() {
  if (data_) queue_->release_host(*queue_, data_);
}

}  // namespace ratnet::inline v1
