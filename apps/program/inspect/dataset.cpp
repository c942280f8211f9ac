#include <cstdio>

#include <nlohmann/json.hpp>

#include "descriptions.h"

namespace ratnet::inline v1 {

using Json = nlohmann::ordered_json;

std::string hdf5_json(const Hdf5Description& d) {
  Json json = {{"type", "hdf5"}, {"is_slices", d.is_slices}};
  if (!d.is_slices) json["problem"] = d.problem;
  json["items"] = Json::array();
  for (const auto& item : d.items)
    json["items"].push_back({{"name", item.name},
                             {"type", item.type},
                             {"shape", item.shape},
                             {"storage", item.storage}});
  json["more_items"] = d.more_items;
  if (d.is_slices)
    json.update({{"images", d.size},
                 {"image_shape", d.image_shape.sizes()},
                 {"dtype", name_of(d.dtype)},
                 {"minimum", d.minimum},
                 {"maximum", d.maximum},
                 {"constant_images", d.constant_images},
                 {"label_counts", d.label_counts},
                 {"unlabelled", d.unlabelled},
                 {"subjects", d.subjects},
                 {"sessions", d.sessions},
                 {"runs", d.runs},
                 {"columns", d.columns},
                 {"class_names", d.attributes.class_names},
                 {"scale", d.attributes.scale ? Json(*d.attributes.scale) : Json(nullptr)},
                 {"content_hash", d.content_hash},
                 {"notes", d.notes}});
  if (d.is_slices && d.has_splits)
    json["splits"] = {{"train", d.split_counts[0]},
                      {"validation", d.split_counts[1]},
                      {"test", d.split_counts[2]}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

void print_hdf5(const Hdf5Description& d) {
  if (d.is_slices) {
    std::printf("%lld slices of %s, %s, values %g to %g\n", static_cast<long long>(d.size),
                to_string(d.image_shape).c_str(), std::string(name_of(d.dtype)).c_str(), d.minimum,
                d.maximum);
    for (std::size_t k = 0; k < d.label_counts.size(); ++k)
      std::printf("  label %zu%s%s: %lld\n", k, k < d.attributes.class_names.size() ? " " : "",
                  k < d.attributes.class_names.size() ? d.attributes.class_names[k].c_str() : "",
                  static_cast<long long>(d.label_counts[k]));
    if (d.unlabelled) std::printf("  unlabelled: %lld\n", static_cast<long long>(d.unlabelled));
    if (d.constant_images)
      std::printf("  empty (one value): %lld\n", static_cast<long long>(d.constant_images));
    if (d.subjects)
      std::printf("  subjects: %lld\n", static_cast<long long>(d.subjects));
    else
      std::printf("  subjects: not named; training needs them, or --allow-leakage\n");
    if (d.has_splits)
      std::printf("  splits: %lld train, %lld validation, %lld test\n",
                  static_cast<long long>(d.split_counts[0]),
                  static_cast<long long>(d.split_counts[1]),
                  static_cast<long long>(d.split_counts[2]));
    if (d.attributes.scale) std::printf("  scale: %g\n", *d.attributes.scale);
    for (const std::string& note : d.notes) std::printf("  note: %s\n", note.c_str());
  } else {
    std::printf("HDF5, but no dataset of slices: %s\n", d.problem.c_str());
  }
  std::printf("\n");
  for (const auto& item : d.items) {
    std::string shape;
    for (const auto size : item.shape) shape += (shape.empty() ? "" : " x ") + std::to_string(size);
    std::printf("  %-24s %-14s %-20s %s\n", item.name.c_str(), item.type.c_str(),
                shape.empty() ? "scalar" : shape.c_str(), item.storage.c_str());
  }
  if (d.more_items) std::printf("  ... and more\n");
}

}  // namespace ratnet::inline v1
