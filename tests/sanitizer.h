// Whether a sanitizer watches this build.
#pragma once

// The address and thread sanitizers reserve memory of their own, so that limits on memory mean
// nothing under them, and their allocators do not survive a fork from between busy threads.
constexpr bool has_sanitizer_memory() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}
