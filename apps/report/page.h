// A report as one HTML file that needs nothing else: its styles and its script are in it, it asks
// for no network, and its policy forbids one. Light and dark, on a screen and on paper.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ratnet::inline v1 {

// How a page's verdict and marks look.
enum class Tone { calm, alert, unclear };
// The name of the tone's class in the page's styles.
std::string class_of(Tone tone);

class Page {
 public:
  // kind: what sort of report it is; subject: what it is of, from outside.
  Page(std::string_view kind, std::string_view subject, std::string_view about = {});

  // The answer, before everything else.
  void verdict(Tone tone, std::string_view headline, const std::vector<std::string>& sentences);
  // What the reader has to know before believing the rest.
  void warnings(const std::vector<std::string>& sentences);
  // html as html.h makes it.
  void section(std::string_view heading, std::string_view html);
  // Shut until it is asked for, or printed.
  void folded(std::string_view heading, std::string_view html);

  std::string html() const;

 private:
  std::string title_, body_;
};

// Paragraphs of plain text.
std::string paragraphs(const std::vector<std::string>& sentences);

// Numbers with their names, side by side: {"slices judged", "18 of 20"}, ...
std::string facts(const std::vector<std::pair<std::string, std::string>>& named);

}  // namespace ratnet::inline v1
