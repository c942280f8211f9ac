// What the check() of every operation asks of its arguments.
#pragma once

#include <initializer_list>

#include "../core/view.h"

namespace ratnet::inline v1 {

// Throws Error (usage) unless all present tensors share one type, f32 or f64.
void check_floats(const char* operation, std::initializer_list<ConstView> tensors);

// Throws Error (usage), naming the tensor, unless it is present and has that shape.
void check_shape(const char* operation, const char* name, const ConstView& tensor,
                 const Shape& expected);

// Throws Error (usage) unless the key of an operation that draws `count` random numbers is [2] i64
// and one stream has that many.
void check_random(const char* operation, const ConstView& key, std::int64_t count);

}  // namespace ratnet::inline v1
