// One thread of control with a stack of its own, switched to and from by hand. The sanitizers are
// told of every switch: to the thread sanitizer each fiber is a thread of its own.
#pragma once

#include <cstddef>

namespace ratnet_emulation {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // What resume() will run next, from its beginning. The fiber must have finished what it ran.
  void set_body(void (*body)(void*), void* argument);
  // Goes on with the fiber until it calls yield() or its body ends.
  void resume();
  // Goes back to whoever called resume(). Only from inside the body.
  void yield();
  bool finished() const { return finished_; }

 private:
  struct Switch;  // the library's types stay in fiber.cpp
  friend struct Switch;
  void leave();

  char* stack_ = nullptr;  // lowest address, above a page that nobody may touch
  void* context_ = nullptr;
  void* host_context_ = nullptr;
  void (*body_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool finished_ = true;

  // What the sanitizers want to know.
  void* identity_ = nullptr;
  void* host_identity_ = nullptr;
  void* saved_ = nullptr;
  const void* host_stack_ = nullptr;
  std::size_t host_stack_bytes_ = 0;
};

}  // namespace ratnet_emulation
