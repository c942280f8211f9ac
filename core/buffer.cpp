#include "buffer.h"

#include <cstring>
#include <utility>

namespace ratnet::inline v1 {

QueueMemory::QueueMemory(QueueHandle queue, std::size_t bytes, Where where)
    : queue_(std::move(queue)), bytes_(bytes), where_(where) {
  checked([&](char* why, std::size_t room) {
    const auto allocate = where == Where::host ? queue_->allocate_host : queue_->allocate;
    return allocate(*queue_, bytes, &data_, why, room);
  });
}

QueueMemory::QueueMemory(QueueMemory&& other) noexcept
    : queue_(std::move(other.queue_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      where_(other.where_) {}

QueueMemory& QueueMemory::operator=(QueueMemory&& other) noexcept {
  std::swap(queue_, other.queue_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  std::swap(where_, other.where_);
  return *this;
}

QueueMemory::~QueueMemory() {
  if (data_) (where_ == Where::host ? queue_->release_host : queue_->release)(*queue_, data_);
}

Buffer::Buffer(QueueHandle queue, std::size_t bytes)
    : QueueMemory(std::move(queue), bytes, Where::device) {}

void Buffer::upload(const void* from, std::size_t count, std::size_t offset) {
  require(offset <= bytes() && count <= bytes() - offset, "upload of ", count, " bytes at ", offset,
          " into a buffer of ", bytes());
  v1::upload(*queue_, static_cast<char*>(data()) + offset, from, count);
}

void Buffer::download(void* to, std::size_t count, std::size_t offset) const {
  require(offset <= bytes() && count <= bytes() - offset, "download of ", count, " bytes at ",
          offset, " from a buffer of ", bytes());
  v1::download(*queue_, to, static_cast<const char*>(data()) + offset, count);
}

void Buffer::clear() {
  checked([&](char* why, std::size_t room) {
    return queue_->clear(*queue_, data(), bytes(), why, room);
  });
}

HostBuffer::HostBuffer(QueueHandle queue, std::size_t bytes)
    : QueueMemory(std::move(queue), bytes, Where::host) {
  std::memset(data(), 0, bytes);
}

}  // namespace ratnet::inline v1
