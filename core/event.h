// A place in a queue's work that other work, or the host, can wait for.
#pragma once

#include "queue.h"

namespace ratnet::inline v1 {

// One queue records it, again and again; whoever waits does so for the last time it was recorded,
// and does not wait where it never was. On a CPU, whose work is done when it is submitted, all of
// this is nothing.
class Event {
 public:
  explicit Event(QueueHandle queue);
  Event(Event&& other) noexcept;
  ~Event();

  // Marks the end of what was submitted so far.
  void record();
  // What is submitted to `later` from now on, a queue of the same device, begins after it.
  void before(Queue& later) const;
  // The host waits.
  void wait() const;

 private:
  QueueHandle queue_;
  void* event_ = nullptr;
};

}  // namespace ratnet::inline v1
