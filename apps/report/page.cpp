#include "page.h"

#include "html.h"
#include "page_style.h"

namespace ratnet::inline v1 {
namespace {

std::string list(const std::vector<std::string>& sentences) {
  std::string items;
  for (const std::string& sentence : sentences) items += text_element("li", sentence);
  return element("ul", {}, items);
}

}  // namespace

std::string class_of(Tone tone) {
  return tone == Tone::calm ? "calm" : tone == Tone::alert ? "alert" : "unclear";
}

std::string paragraphs(const std::vector<std::string>& sentences) {
  std::string result;
  for (const std::string& sentence : sentences) result += text_element("p", sentence) + "\n";
  return result;
}

std::string facts(const std::vector<std::pair<std::string, std::string>>& named) {
  std::string result;
  for (const auto& [name, value] : named)
    result += element("div", {}, text_element("dt", name) + text_element("dd", value)) + "\n";
  return element("dl", {{"class", "facts"}}, result) + "\n";
}

Page::Page(std::string_view kind, std::string_view subject, std::string_view about)
    : title_(escaped(std::string(subject) + " - " + std::string(kind))) {
  // bdi: a name that turns the direction of writing turns nothing but itself.
  body_ = element("header", {},
                  element("p", {{"class", "kind"}}, escaped(kind)) +
                      element("h1", {}, text_element("bdi", subject)) +
                      (about.empty() ? "" : element("p", {{"class", "about"}}, escaped(about)))) +
          "\n";
}

void Page::verdict(Tone tone, std::string_view headline,
                   const std::vector<std::string>& sentences) {
  body_ += element("div", {{"class", "verdict " + class_of(tone)}},
                   text_element("h2", headline) + paragraphs(sentences)) +
           "\n";
}

void Page::warnings(const std::vector<std::string>& sentences) {
  if (sentences.empty()) return;
  body_ += element("div", {{"class", "warnings"}}, text_element("h2", "Beware") + list(sentences)) +
           "\n";
}

void Page::section(std::string_view heading, std::string_view html) {
  body_ += element("section", {}, text_element("h2", heading) + std::string(html)) + "\n";
}

void Page::folded(std::string_view heading, std::string_view html) {
  body_ += element("details", {}, text_element("summary", heading) + std::string(html)) + "\n";
}

std::string Page::html() const {
  const std::string head =
      element("meta", {{"charset", "utf-8"}}) +
      element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}) +
      element("meta", {{"http-equiv", "Content-Security-Policy"},
                       {"content",
                        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
                        "script-src 'unsafe-inline'; base-uri 'none'"}}) +
      element("title", {}, title_) + element("style", {}, kPageStyle);
  return "<!DOCTYPE html>\n" +
         element("html", {{"lang", "en"}},
                 "\n" + element("head", {}, head) + "\n" +
                     element("body", {},
                             "\n" + element("main", {}, "\n" + body_) + "\n" +
                                 element("script", {}, kPageScript)) +
                     "\n") +
         "\n";
}

}  // namespace ratnet::inline v1
