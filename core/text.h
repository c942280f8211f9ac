// One string from its parts, for messages: text("expects ", 32, " channels").
#pragma once

#include <sstream>
#include <string>

namespace ratnet::inline v1 {

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace ratnet::inline v1
