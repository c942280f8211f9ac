#include "event.h"

#include <utility>

namespace ratnet::inline v1 {

Event::Event(QueueHandle queue) : queue_(std::move(queue)) {
  if (queue_->make_event)
    checked([&](char* why, std::size_t room) {
      return queue_->make_event(*queue_, &event_, why, room);
    });
}

Event::Event(Event&& other) noexcept
    : queue_(std::move(other.queue_)), event_(std::exchange(other.event_, nullptr)) {}

Event::~Event() {
  if (event_) queue_->drop_event(*queue_, event_);
}

void Event::record() {
  if (event_)
    checked(
        [&](char* why, std::size_t room) { return queue_->record(*queue_, event_, why, room); });
}

void Event::before(Queue& later) const {
  if (event_)
    checked([&](char* why, std::size_t room) { return later.follow(later, event_, why, room); });
}

void Event::wait() const {
  if (event_)
    checked([&](char* why, std::size_t room) {
      return queue_->wait_event(*queue_, event_, why, room);
    });
}

}  // namespace ratnet::inline v1
