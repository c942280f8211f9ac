#include "tensor.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace ratnet::inline v1 {
namespace {
constexpr std::size_t kAlignment = 64;
}

void FreeAligned::operator()(void* memory) const noexcept { std::free(memory); }

AlignedMemory allocate_aligned(std::size_t bytes) {
  // Linux promises more than there is, and kills the program when it is used.
  static const std::size_t machine = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
                                     static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  // Room for one more vector: kernels may read (never use) past the last element.
  const std::size_t size = (bytes / kAlignment + 2) * kAlignment;
  void* memory = bytes <= machine ? std::aligned_alloc(kAlignment, size) : nullptr;
  if (!memory) fail(ErrorKind::device, "out of memory: ", bytes, " bytes were wanted");
  return AlignedMemory(memory);
}

Tensor::Tensor(const Shape& shape, DType dtype) : shape_(shape), dtype_(dtype) {
  std::size_t size = 0;
  require(!__builtin_mul_overflow(static_cast<std::size_t>(count()), size_of(dtype), &size),
          "shape ", to_string(shape), " is larger than memory can address");
  memory_ = allocate_aligned(size);
  std::memset(memory_.get(), 0, size);
}

Tensor Tensor::copy_of(const ConstView& values) {
  Tensor copy(values.shape, values.dtype);
  if (values) std::memcpy(copy.data(), values.data, copy.bytes());
  return copy;
}

}  // namespace ratnet::inline v1
