// A borrowed, contiguous, typed block of memory: what operations take.
#pragma once

#include <cstddef>
#include <type_traits>

#include "dtype.h"
#include "error.h"
#include "shape.h"

namespace ratnet::inline v1 {

// Pointer, element type and sizes; the pointer may be device memory. Owns nothing.
template <class Pointer>
struct BasicView {
  Pointer data = nullptr;
  DType dtype = DType::f32;
  Shape shape;

  BasicView() = default;
  BasicView(Pointer memory, DType type, const Shape& sizes)
      : data(memory), dtype(type), shape(sizes) {}
  // A writable view serves where a read-only one is asked for.
  template <class Other>
  requires(std::is_convertible_v<Other, Pointer> && !std::is_same_v<Other, Pointer>)
      BasicView(const BasicView<Other>& other)
      : data(other.data), dtype(other.dtype), shape(other.shape) {}

  explicit operator bool() const { return data != nullptr; }
  std::int64_t count() const { return shape.count(); }
  std::size_t bytes() const { return static_cast<std::size_t>(count()) * size_of(dtype); }

  // The elements as T; throws Error (internal) when T is not the stored type.
  template <class T>
  auto as() const {
    using Element = std::conditional_t<std::is_same_v<Pointer, const void*>, const T, T>;
    if (dtype != dtype_of<T>)
      fail(ErrorKind::internal, "a tensor of ", name_of(dtype), " was read as ",
           name_of(dtype_of<T>));
    return static_cast<Element*>(data);
  }

  // The first n entries along the first dimension.
  BasicView first(std::int64_t n) const { return {data, dtype, shape.with_first(n)}; }
  // The same memory under other sizes of equal count.
  BasicView reshaped(const Shape& sizes) const {
    require(sizes.count() == count(), "cannot view ", shape, " as ", sizes);
    return {data, dtype, sizes};
  }
};

using View = BasicView<void*>;
using ConstView = BasicView<const void*>;

// The elements as T, or null where there are none.
template <class T, class AnyView>
auto data_or_null(const AnyView& view) -> decltype(view.template as<T>()) {
  return view ? view.template as<T>() : nullptr;
}

}  // namespace ratnet::inline v1
