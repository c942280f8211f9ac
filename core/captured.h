// Work that is kept to be run again.
#pragma once

#include "queue.h"

namespace ratnet::inline v1 {

// Work that a queue has captured, dropped on destruction.
class Captured {
 public:
  // Captures what `submits` submits; nothing of it runs. Only where the queue can.
  template <class Submits>
  Captured(QueueHandle queue, Submits&& submits) : queue_(std::move(queue)) {
    begin();
    try {
      submits();
    } catch (...) {
      abandon();
      throw;
    }
    end();
  }
  Captured(Captured&& other) noexcept;
  ~Captured();

  void replay() const;

 private:
  void begin();
  void end();
  void abandon() noexcept;

  QueueHandle queue_;
  void* work_ = nullptr;
};

}  // namespace ratnet::inline v1
