// Text from outside, as a terminal or a page may show it.
#pragma once

#include <string>
#include <string_view>

namespace ratnet::inline v1 {

// Bytes that are no UTF-8 and control characters as U+FFFD.
std::string printable(std::string_view words);

}  // namespace ratnet::inline v1
