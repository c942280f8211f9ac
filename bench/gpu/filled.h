// Memory with something in it that is neither zero nor regular.
#pragma once

#include "../../core/buffer.h"
#include "../../core/view.h"

namespace ratnet::inline v1 {

// Writes numbers of -1 to 1 into f32, 0 to 255 into u8, in the memory of a queue; waits for it.
void fill(Queue& queue, const View& view);
// The same in host memory, and u8 of 0 to 255 there.
void fill_host(void* memory, std::size_t bytes, DType dtype);

// A tensor of its own on a device, filled so.
class DeviceTensor {
 public:
  DeviceTensor(const QueueHandle& queue, const Shape& shape, DType dtype = DType::f32);
  operator View() const { return {memory_.data(), dtype_, shape_}; }
  operator ConstView() const { return {memory_.data(), dtype_, shape_}; }
  double bytes() const { return static_cast<double>(memory_.bytes()); }
  void clear() { memory_.clear(); }

 private:
  Buffer memory_;
  DType dtype_;
  Shape shape_;
};

}  // namespace ratnet::inline v1
