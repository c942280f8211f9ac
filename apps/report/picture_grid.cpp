#include "picture_grid.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <numeric>

#include "../../core/error.h"
#include "../../imaging/png.h"
#include "colour_scale.h"
#include "data_uri.h"
#include "html.h"

namespace ratnet::inline v1 {
namespace {

std::string image(const char* kind, const std::string& png, const std::string& alt) {
  if (png.empty()) return "";
  return element("img", {{"class", kind}, {"src", data_uri(png)}, {"alt", alt}});
}

std::string layers(const std::string& below, const std::string& overlay, const std::string& alt) {
  return element("span", {{"class", "layers"}},
                 image("image", below, alt) + image("overlay", overlay, ""));
}

std::string caption_of(const Picture& picture) {
  return element("figcaption", {},
                 text_element("strong", picture.name) + " " + escaped(picture.caption));
}

std::string alt_of(const Picture& picture) { return picture.name + ", " + picture.caption; }

void check(const Picture& picture) {
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-';
  };
  require(!picture.id.empty() && std::ranges::all_of(picture.id, is_plain), "a picture's id is '",
          picture.id, "'; use letters, digits and hyphens");
  require(!std::isnan(picture.rank), "the rank of picture '", picture.id, "' is NaN");
}

std::string radio(const char* key, const std::string& name, bool checked) {
  Attributes attributes{
      {"type", "radio"}, {"name", "order"}, {"data-order", key}, {"autocomplete", "off"}};
  if (checked) attributes.emplace_back("checked", "checked");
  return element("label", {}, element("input", attributes) + " " + escaped(name));
}

std::string controls(const PictureGrid& grid, bool with_companions) {
  const std::string slider = element("input", {{"type", "range"},
                                               {"min", "0"},
                                               {"max", "100"},
                                               {"value", "75"},
                                               {"data-variable", "overlay"},
                                               {"autocomplete", "off"}});
  std::string result =
      element("label", {}, escaped(grid.overlay) + " " + slider + element("output", {}, "75 %")) +
      element("fieldset", {{"aria-label", "order"}},
              radio("rank", grid.by_rank, true) + radio("place", grid.by_place, false));
  if (with_companions)
    result += element("label", {},
                      element("input", {{"type", "checkbox"},
                                        {"data-toggle", "with-companions"},
                                        {"autocomplete", "off"}}) +
                          " " + escaped(grid.companion + " beside"));
  return element("div", {{"class", "controls"}, {"hidden", "hidden"}}, result);
}

std::string pane(const char* kind, const std::string& name) {
  return element("figure", {},
                 element("span", {{"class", std::string("layers ") + kind}}) +
                     text_element("figcaption", name));
}

std::string button(const char* kind, const char* words, bool focus = false) {
  Attributes attributes{{"type", "button"}, {"class", kind}};
  if (focus) attributes.emplace_back("autofocus", "autofocus");
  return element("button", attributes, words);
}

std::string enlarged(const PictureGrid& grid) {
  return element("dialog", {{"class", "enlarged"}, {"aria-label", "one picture, large"}},
                 element("header", {},
                         element("div", {{"class", "words"}}) + button("previous", "Previous") +
                             button("next", "Next") + button("close", "Close", true)) +
                     element("div", {{"class", "panes"}},
                             pane("plain", grid.image) +
                                 pane("overlaid", grid.image + " with " + grid.overlay) +
                                 pane("reference", grid.companion)));
}

}  // namespace

std::string picture_grid(const PictureGrid& grid) {
  for (const Picture& picture : grid.pictures) check(picture);
  std::vector<std::size_t> order(grid.pictures.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return grid.pictures[a].rank > grid.pictures[b].rank;
  });
  std::string items;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const Picture& p = grid.pictures[order[rank]];
    const std::string shown =
        element("button", {{"type", "button"}, {"title", "show it large"}},
                layers(p.image, p.overlay, alt_of(p)) +
                    image("companion", p.companion, grid.companion + " of " + p.name));
    items += element("li",
                     {{"id", p.id},
                      {"data-rank", std::to_string(rank)},
                      {"data-place", std::to_string(order[rank])}},
                     element("figure", {{"class", p.marked ? "marked" : "plain"}},
                             shown + caption_of(p))) +
             "\n";
  }
  const bool with_companions = std::ranges::any_of(
      grid.pictures, [](const Picture& picture) { return !picture.companion.empty(); });
  return controls(grid, with_companions) + "\n" +
         element("ul", {{"class", "pictures gallery"}}, "\n" + items) + "\n" + enlarged(grid) +
         "\n";
}

std::string small_pictures(std::span<const Picture> pictures) {
  std::string items;
  for (const Picture& picture : pictures)
    items += element("li", {},
                     element("figure", {},
                             layers(picture.image, picture.overlay, alt_of(picture)) +
                                 caption_of(picture))) +
             "\n";
  return element("ul", {{"class", "pictures small"}}, "\n" + items) + "\n";
}

std::string thumbnail(const std::string& image, const std::string& overlay,
                      const std::string& alt) {
  return element("div", {{"class", "thumbnail"}}, layers(image, overlay, alt));
}

std::string heat_legend(const std::string& name, const std::string& low, const std::string& high) {
  constexpr int kSteps = 64;
  std::array<std::uint8_t, kSteps> pixels{};
  std::array<PaletteColour, kSteps> palette;
  for (std::size_t i = 0; i < kSteps; ++i) {
    pixels[i] = static_cast<std::uint8_t>(i);
    palette[i].colour = heat_of(static_cast<double>(i) / (kSteps - 1));
  }
  return element("p", {{"class", "legend"}},
                 text_element("span", name) + text_element("span", low) +
                     image("scale", palette_png(pixels, kSteps, 1, palette),
                           "colours from dark red over orange to pale yellow") +
                     text_element("span", high)) +
         "\n";
}

}  // namespace ratnet::inline v1
