// Whether a page is what a report page has to be.
#pragma once

#include <string>

#include "well_formed.h"

namespace ratnet::test {

// Well-formed XML after its doctype, with nothing that is fetched, and text for every image. The
// data of pictures are left out: they may spell anything.
inline bool stands_alone(const std::string& page) {
  const std::string doctype = "<!DOCTYPE html>\n", data = "data:image/png;base64,";
  if (page.rfind(doctype, 0) != 0 || !is_well_formed(page.substr(doctype.size()))) return false;
  std::string words = page;
  for (std::size_t i = 0; (i = words.find(data, i)) != std::string::npos;) {
    i += data.size();
    words.erase(i, words.find('"', i) - i);
  }
  for (const char* foreign : {"http:", "https:", "url(", "@import", "<link", "<iframe", "<object"})
    if (words.find(foreign) != std::string::npos) return false;
  const auto all_begin = [&](const std::string& attribute, const std::vector<std::string>& starts) {
    std::size_t found = 0;
    for (const std::string& start : starts) found += occurrences(words, attribute + start);
    return found == occurrences(words, attribute);
  };
  return all_begin(" src=\"", {data}) && all_begin(" href=\"", {"#", "./"}) &&
         occurrences(words, "<img ") == occurrences(words, " alt=\"");
}

}  // namespace ratnet::test
