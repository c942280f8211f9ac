// Pieces of HTML that are well-formed XML too, with all text from outside escaped.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/printable.h"

namespace ratnet::inline v1 {

// printable() words as text of an element or of a quoted attribute.
std::string escaped(std::string_view words);

// Names and values; values are plain text.
using Attributes = std::vector<std::pair<std::string_view, std::string>>;

// inner: HTML. An element without any is written as "<br/>".
std::string element(std::string_view name, const Attributes& attributes,
                    std::string_view inner = {});

// A paragraph, cell, ... that is plain text.
std::string text_element(std::string_view name, std::string_view words);

// The address of a file relative to the page's folder: never one of another scheme or host,
// whatever the file is called.
std::string relative_link(std::string_view path);

struct TableColumn {
  std::string name;
  bool numbers = false;  // to the right
};

// rows: cells of HTML, [rows][columns]; the first of a row is its header. Throws Error (usage) for
// a row of another length.
std::string table(std::string_view caption, const std::vector<TableColumn>& columns,
                  const std::vector<std::vector<std::string>>& rows);

}  // namespace ratnet::inline v1
