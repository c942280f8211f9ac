#include "transpose.h"

#include <cstring>

#include "launch.h"

namespace ratnet::inline v1 {
namespace {

__device__ void put(float value, float& to) { to = value; }

__device__ void put(float value, std::uint16_t& to) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    bits |= 0x00400000u;  // rounding could make an infinity of a NaN
  else
    bits += 0x7fffu + ((bits >> 16) & 1u);
  to = static_cast<std::uint16_t>(bits >> 16);
}

// Neighbouring threads write neighbours.
template <class To>
struct Transposed {
  const float* from;
  To* to;
  std::int64_t rows, columns;
  __device__ void operator()(std::int64_t i) const {
    put(from[i % rows * columns + i / rows], to[i]);
  }
};

}  // namespace

void transpose(CudaQueue& queue, const char* what, const float* from, std::int64_t rows,
               std::int64_t columns, float* to) {
  for_each_element(queue, what, rows * columns, Transposed<float>{from, to, rows, columns});
}

void transpose_rounded(CudaQueue& queue, const char* what, const float* from, std::int64_t rows,
                       std::int64_t columns, std::uint16_t* to) {
  for_each_element(queue, what, rows * columns, Transposed<std::uint16_t>{from, to, rows, columns});
}

}  // namespace ratnet::inline v1
