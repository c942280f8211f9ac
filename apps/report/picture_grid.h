// Pictures of a page with an overlay each, all under one opacity slider, sorted two ways; a click
// shows one large, beside its overlay and its companion.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace ratnet::inline v1 {

// Pictures are PNG files in memory (png.h), each of one subject in any number of pixels.
struct Picture {
  std::string id;       // of the element, for links: letters, digits and hyphens
  std::string name;     // "slice 12"
  std::string caption;  // what is to say of it, shown and read aloud
  std::string image;
  std::string overlay{};    // laid over the image; may be absent
  std::string companion{};  // shown beside it; may be absent
  double rank = 0;          // higher comes first when sorted by rank
  bool marked = false;      // with a frame
};

struct PictureGrid {
  std::vector<Picture> pictures{};  // in the order of their places
  std::string by_rank = "worst first", by_place = "in order";
  std::string image = "image", overlay = "overlay", companion = "companion";
};

// One of these on a page; sorted by rank at first. Throws Error (usage) for an id of other
// characters or a rank that is NaN.
std::string picture_grid(const PictureGrid& grid);

// The same small, and nothing to be done with them.
std::string small_pictures(std::span<const Picture> pictures);

// An image with its overlay, for a table.
std::string thumbnail(const std::string& image, const std::string& overlay, const std::string& alt);

// What the overlay's colours mean: heat_of() from `low` to `high`.
std::string heat_legend(const std::string& name, const std::string& low, const std::string& high);

}  // namespace ratnet::inline v1
