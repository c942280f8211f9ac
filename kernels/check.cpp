#include "check.h"

namespace ratnet::inline v1 {

void check_floats(const char* operation, std::initializer_list<ConstView> tensors) {
  const ConstView* first = nullptr;
  for (const ConstView& tensor : tensors) {
    if (!tensor) continue;
    require(tensor.dtype == DType::f32 || tensor.dtype == DType::f64, operation,
            ": works on f32 and f64, not on ", name_of(tensor.dtype));
    if (!first) first = &tensor;
    require(tensor.dtype == first->dtype, operation, ": all tensors must have one type, got ",
            name_of(first->dtype), " and ", name_of(tensor.dtype));
  }
}

void check_shape(const char* operation, const char* name, const ConstView& tensor,
                 const Shape& expected) {
  require(tensor.data != nullptr || expected.count() == 0, operation, ": ", name, " is missing");
  require(tensor.shape == expected, operation, ": ", name, " has shape ", tensor.shape,
          ", expected ", expected);
}

void check_random(const char* operation, const ConstView& key, std::int64_t count) {
  check_shape(operation, "key", key, {2});
  require(key.dtype == DType::i64, operation, ": the key is i64, not ", name_of(key.dtype));
  require(count <= std::int64_t{4} << 32, operation, ": ", count,
          " elements are more than one stream of random numbers has");
}

}  // namespace ratnet::inline v1
