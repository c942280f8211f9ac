#include "captured.h"

#include <utility>

namespace ratnet::inline v1 {

Captured::Captured(Captured&& other) noexcept
    : queue_(std::move(other.queue_)), work_(std::exchange(other.work_, nullptr)) {}

Captured::~Captured() {
  if (work_) queue_->drop(*queue_, work_);
}

void Captured::begin() {
  checked([&](char* why, std::size_t room) { return queue_->begin_capture(*queue_, why, room); });
}

void Captured::end() {
  checked(
      [&](char* why, std::size_t room) { return queue_->end_capture(*queue_, &work_, why, room); });
}

void Captured::abandon() noexcept {
  char why[512] = "";
  if (queue_->end_capture(*queue_, &work_, why, sizeof why) == 0) queue_->drop(*queue_, work_);
  work_ = nullptr;
}

void Captured::replay() const {
  checked([&](char* why, std::size_t room) { return queue_->replay(*queue_, work_, why, room); });
}

}  // namespace ratnet::inline v1
