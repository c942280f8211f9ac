// A tensor that owns its memory on the host.
#pragma once

#include <algorithm>
#include <memory>
#include <span>

#include "view.h"

namespace ratnet::inline v1 {

// Memory for n bytes, aligned for the widest vector unit (64 bytes). Throws Error (device) with
// the size when there is none.
struct FreeAligned {
  void operator()(void* memory) const noexcept;
};
using AlignedMemory = std::unique_ptr<void, FreeAligned>;
AlignedMemory allocate_aligned(std::size_t bytes);

// Contiguous, zero-filled at construction, movable; copies are explicit (clone).
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Shape& shape, DType dtype);

  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    Tensor t(shape, dtype_of<T>);
    require(static_cast<std::int64_t>(values.size()) == shape.count(), "shape ", to_string(shape),
            " does not hold ", values.size(), " values");
    std::copy(values.begin(), values.end(), t.values<T>().begin());
    return t;
  }

  // Of values in host memory.
  static Tensor copy_of(const ConstView& values);
  Tensor clone() const { return copy_of(view()); }

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  std::int64_t count() const { return shape_.count(); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype_); }
  void* data() { return memory_.get(); }
  const void* data() const { return memory_.get(); }
  explicit operator bool() const { return memory_ != nullptr; }

  // The elements; throws Error (internal) when T is not the stored type.
  template <class T>
  std::span<T> values() {
    return {view().template as<T>(), static_cast<std::size_t>(count())};
  }
  template <class T>
  std::span<const T> values() const {
    return {view().template as<T>(), static_cast<std::size_t>(count())};
  }

  View view() { return {memory_.get(), dtype_, shape_}; }
  ConstView view() const { return {memory_.get(), dtype_, shape_}; }
  operator View() { return view(); }
  operator ConstView() const { return view(); }

 private:
  AlignedMemory memory_;
  Shape shape_;
  DType dtype_ = DType::f32;
};

}  // namespace ratnet::inline v1
