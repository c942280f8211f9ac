// The sanitizers' interfaces, empty where the build has none.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define RATNET_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RATNET_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define RATNET_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RATNET_TSAN 1
#endif
#endif

// The emulator's own files are not instrumented by the thread sanitizer, so they are told.
#if defined(RATNET_TSAN_BUILD)
#define RATNET_TSAN 1
#endif

#ifdef RATNET_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef RATNET_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace ratnet_emulation {

// Everything before happened_before(x) is seen by those who later call happens_after(x).
inline void happened_before([[maybe_unused]] void* meeting) {
#ifdef RATNET_TSAN
  __tsan_release(meeting);
#endif
}
inline void happens_after([[maybe_unused]] void* meeting) {
#ifdef RATNET_TSAN
  __tsan_acquire(meeting);
#endif
}

// Memory that an access by instrumented code is an error of, or no longer.
inline void forbid([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef RATNET_ASAN
  __asan_poison_memory_region(memory, bytes);
#endif
}
inline void allow([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef RATNET_ASAN
  __asan_unpoison_memory_region(memory, bytes);
#endif
}

}  // namespace ratnet_emulation
