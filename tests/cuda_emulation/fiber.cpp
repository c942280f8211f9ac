#include "fiber.h"

#include <sys/mman.h>

#include <cstdlib>

#include <boost/context/detail/fcontext.hpp>

#include "sanitizers.h"

namespace ratnet_emulation {
namespace {

#if defined(RATNET_ASAN) || defined(RATNET_TSAN)
constexpr std::size_t kStack = std::size_t{256} << 10;
#else
constexpr std::size_t kStack = std::size_t{64} << 10;
#endif
constexpr std::size_t kGuard = 4096;

}  // namespace

struct Fiber::Switch {
  [[noreturn]] static void enter(boost::context::detail::transfer_t from) {
    auto* self = static_cast<Fiber*>(from.data);
    self->host_context_ = from.fctx;
#ifdef RATNET_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &self->host_stack_, &self->host_stack_bytes_);
#endif
    for (;;) {
      self->body_(self->argument_);
      self->finished_ = true;
      self->leave();
    }
  }
};

Fiber::Fiber() {
  void* memory = mmap(nullptr, kGuard + kStack, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kGuard, PROT_NONE) != 0) std::abort();
  stack_ = static_cast<char*>(memory) + kGuard;
  context_ = boost::context::detail::make_fcontext(stack_ + kStack, kStack, &Switch::enter);
#ifdef RATNET_TSAN
  identity_ = __tsan_create_fiber(0);
#endif
}

Fiber::~Fiber() {
#ifdef RATNET_TSAN
  __tsan_destroy_fiber(identity_);
#endif
  allow(stack_, kStack);
  munmap(stack_ - kGuard, kGuard + kStack);
}

void Fiber::set_body(void (*body)(void*), void* argument) {
  body_ = body;
  argument_ = argument;
  finished_ = false;
}

void Fiber::resume() {
#ifdef RATNET_TSAN
  host_identity_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(identity_, __tsan_switch_to_fiber_no_sync);
#endif
#ifdef RATNET_ASAN
  void* saved = nullptr;
  __sanitizer_start_switch_fiber(&saved, stack_, kStack);
#endif
  context_ = boost::context::detail::jump_fcontext(context_, this).fctx;
#ifdef RATNET_ASAN
  __sanitizer_finish_switch_fiber(saved, nullptr, nullptr);
#endif
}

void Fiber::yield() { leave(); }

void Fiber::leave() {
#ifdef RATNET_TSAN
  __tsan_switch_to_fiber(host_identity_, __tsan_switch_to_fiber_no_sync);
#endif
#ifdef RATNET_ASAN
  __sanitizer_start_switch_fiber(&saved_, host_stack_, host_stack_bytes_);
#endif
  host_context_ = boost::context::detail::jump_fcontext(host_context_, nullptr).fctx;
#ifdef RATNET_ASAN
  __sanitizer_finish_switch_fiber(saved_, &host_stack_, &host_stack_bytes_);
#endif
}

}  // namespace ratnet_emulation
