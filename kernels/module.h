// The one function of a backend that is opened at run time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../core/queue.h"

namespace ratnet::inline v1 {

// Set by the build for the module that runs on the CPU, for tests.
#ifdef RATNET_EMULATED
constexpr bool kEmulated = true;
#else
constexpr bool kEmulated = false;
#endif

// Opens that device; ops_hash: backend_hash() of the caller. nullptr with the reason in `why`
// (at most `room` characters) where it cannot be had.
using OpenBackend = Queue* (*)(int device, std::uint64_t ops_hash, char* why, std::size_t room);
constexpr const char* kOpenBackend = "ratnet_open_backend";

}  // namespace ratnet::inline v1
