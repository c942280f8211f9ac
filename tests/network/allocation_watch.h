// Counts what a piece of code asks of the heap, in this test program.
#pragma once

#include <cstddef>

namespace ratnet::testing {

// False under a sanitizer, which has a heap of its own: then nothing is counted.
bool can_watch_allocations();

struct Allocations {
  std::size_t count = 0;
  std::size_t largest = 0;  // bytes of the largest one
};

// Counts from here on, on all threads, until end().
void watch_allocations();
Allocations end_watching();

}  // namespace ratnet::testing
