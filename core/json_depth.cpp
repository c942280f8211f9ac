#include "json_depth.h"

#include <algorithm>

#include "error.h"

namespace ratnet::inline v1 {

int json_depth(std::string_view json) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

void check_json_depth(std::string_view json) {
  if (json_depth(json) > kMostJsonDepth)
    fail(ErrorKind::input, "has JSON nested deeper than ", kMostJsonDepth, " levels");
}

}  // namespace ratnet::inline v1
