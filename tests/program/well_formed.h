// Whether what was written is XML, and how often it says something.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace ratnet::test {

// Whether elements nest, attributes are quoted and named once, and references are XML's own.
inline bool is_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  bool had_root = false;
  const auto text_is_fine = [](const std::string& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == '<' || (static_cast<unsigned char>(words[i]) < 32 && words[i] != '\n'))
        return false;
      if (words[i] != '&') continue;
      const std::string name = words.substr(i, words.find(';', i) - i + 1);
      if (name != "&amp;" && name != "&lt;" && name != "&gt;" && name != "&quot;") return false;
    }
    return true;
  };
  for (std::size_t i = 0; i < xml.size();) {
    if (xml[i] != '<') {
      const std::size_t end = std::min(xml.find('<', i), xml.size());
      const std::string words = xml.substr(i, end - i);
      if (!text_is_fine(words) ||
          (open.empty() && words.find_first_not_of(" \n") != std::string::npos))
        return false;
      i = end;
      continue;
    }
    std::size_t at = i + 1;
    const bool closes = xml[at] == '/';
    at += closes;
    std::string name;
    while (at < xml.size() && std::isalnum(static_cast<unsigned char>(xml[at]))) name += xml[at++];
    std::vector<std::string> seen;
    while (at < xml.size() && xml[at] == ' ') {
      const std::size_t equals = xml.find("=\"", at), end = xml.find('"', equals + 2);
      if (equals == std::string::npos || end == std::string::npos) return false;
      const std::string key = xml.substr(at + 1, equals - at - 1);
      if (key.find_first_of(" <>\"") != std::string::npos ||
          std::count(seen.begin(), seen.end(), key) ||
          !text_is_fine(xml.substr(equals + 2, end - equals - 2)))
        return false;
      seen.push_back(key);
      at = end + 1;
    }
    const bool empty = at < xml.size() && xml[at] == '/';
    at += empty;
    if (name.empty() || at >= xml.size() || xml[at] != '>') return false;
    if (closes) {
      if (open.empty() || open.back() != name) return false;
      open.pop_back();
    } else if (!empty) {
      if (open.empty() && had_root) return false;
      had_root = true;
      open.push_back(name);
    }
    i = at + 1;
  }
  return had_root && open.empty();
}

inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t i = 0; (i = text.find(part, i)) != std::string::npos; i += part.size()) ++n;
  return n;
}

}  // namespace ratnet::test
