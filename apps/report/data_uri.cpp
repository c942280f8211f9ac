#include "data_uri.h"

namespace ratnet::inline v1 {

std::string data_uri(std::string_view png) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result = "data:image/png;base64,";
  for (std::size_t i = 0; i < png.size(); i += 3) {
    const std::string_view group = png.substr(i, 3);
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      result += k <= group.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return result;
}

}  // namespace ratnet::inline v1
