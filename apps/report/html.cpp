#include "html.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "../../core/error.h"

namespace ratnet::inline v1 {

std::string escaped(std::string_view words) {
  std::string result;
  for (const char c : printable(words)) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

std::string element(std::string_view name, const Attributes& attributes, std::string_view inner) {
  // These may stand without an end in HTML; all others need one even where they are empty.
  constexpr std::array<std::string_view, 9> kVoid = {"br",   "circle", "hr",   "img", "input",
                                                     "line", "link",   "meta", "rect"};
  std::string result = "<";
  result += name;
  for (const auto& [key, value] : attributes) {
    result += ' ';
    result += key;
    result += "=\"" + escaped(value) + "\"";
  }
  if (std::ranges::find(kVoid, name) != kVoid.end() && inner.empty()) return result + "/>";
  result += ">";
  result += inner;
  result += "</";
  result += name;
  return result + ">";
}

std::string text_element(std::string_view name, std::string_view words) {
  return element(name, {}, escaped(words));
}

std::string relative_link(std::string_view path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string result = "./";
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      result += c;
      continue;
    }
    std::array<char, 4> buffer;
    std::snprintf(buffer.data(), buffer.size(), "%%%02X", static_cast<unsigned char>(c));
    result += buffer.data();
  }
  return result;
}

std::string table(std::string_view caption, const std::vector<TableColumn>& columns,
                  const std::vector<std::vector<std::string>>& rows) {
  const auto kind = [&](std::size_t column) {
    return columns[column].numbers ? Attributes{{"class", "number"}} : Attributes{};
  };
  std::string head, body;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Attributes attributes = kind(i);
    attributes.emplace_back("scope", "col");
    head += element("th", attributes, escaped(columns[i].name));
  }
  for (const std::vector<std::string>& row : rows) {
    require(row.size() == columns.size(), "a table of ", columns.size(), " columns has a row of ",
            row.size(), " cells");
    std::string cells;
    for (std::size_t i = 0; i < row.size(); ++i) {
      Attributes attributes = kind(i);
      if (i == 0) attributes.emplace_back("scope", "row");
      cells += element(i == 0 ? "th" : "td", attributes, row[i]);
    }
    body += element("tr", {}, cells) + "\n";
  }
  return element("div", {{"class", "wide"}},
                 element("table", {},
                         text_element("caption", caption) +
                             element("thead", {}, element("tr", {}, head)) + "\n" +
                             element("tbody", {}, body))) +
         "\n";
}

}  // namespace ratnet::inline v1
