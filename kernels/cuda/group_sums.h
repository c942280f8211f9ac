// Sums that several blocks have a part in: each leaves its own, which are then added in order, so
// that the result is the same every time.
#pragma once

#include "launch.h"

namespace ratnet::inline v1 {

namespace {

template <class T>
struct AddGroups {
  const T* parts;
  T* sums;
  std::int64_t groups, size;
  __device__ void operator()(std::int64_t i) const {
    T total = 0;
    for (std::int64_t group = 0; group < groups; ++group) total += parts[group * size + i];
    sums[i] = total;
  }
};

}  // namespace

// sums[i] = parts[0][i] + ... + parts[groups - 1][i]; parts [groups, size].
template <class T>
void add_groups(CudaQueue& queue, const char* what, const T* parts, std::int64_t groups,
                std::int64_t size, T* sums) {
  for_each_element(queue, what, size, AddGroups<T>{parts, sums, groups, size});
}

}  // namespace ratnet::inline v1
