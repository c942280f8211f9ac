// A picture in memory as what a page holds of it.
#pragma once

#include <string>
#include <string_view>

namespace ratnet::inline v1 {

// "data:image/png;base64,..." (RFC 2397, RFC 4648).
std::string data_uri(std::string_view png);

}  // namespace ratnet::inline v1
