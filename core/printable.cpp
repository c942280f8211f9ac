#include "printable.h"

#include <algorithm>

namespace ratnet::inline v1 {
namespace {

// Length of the UTF-8 character at the start of `bytes`, 0 when it is none (RFC 3629).
std::size_t utf8_length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned first = at(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xC0) != 0x80) return 0;
  if (length > 1) {
    const unsigned second = at(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F))
      return 0;
  }
  return length;
}

}  // namespace

std::string printable(std::string_view words) {
  std::string result;
  while (!words.empty()) {
    const std::size_t length = utf8_length(words);
    const bool control =
        length == 1 && (static_cast<unsigned char>(words[0]) < 32 || words[0] == 127);
    if (length == 0 || control)
      result += "\xEF\xBF\xBD";
    else
      result += words.substr(0, length);
    words.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

}  // namespace ratnet::inline v1
