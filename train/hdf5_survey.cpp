#include "hdf5_survey.h"

#include <unordered_set>
#include <utility>

#include "../core/error.h"
#include "hdf5_handle.h"
#include "hdf5_listing.h"
#include "hdf5_schema.h"
#include "hdf5_table.h"

namespace ratnet::inline v1 {
namespace {

std::int64_t different(const std::vector<std::string>& values) {
  return static_cast<std::int64_t>(
      std::unordered_set<std::string>(values.begin(), values.end()).size());
}

void summarise(Hdf5Contents& contents) {
  Hdf5Description& out = contents.description;
  const SampleTable& table = contents.table;
  const Hdf5ImageLayout& layout = contents.layout;
  out.is_slices = true;
  out.size = layout.count();
  out.image_shape = layout.delivered_shape();
  out.dtype = layout.dtype;
  for (const std::uint8_t label : table.labels) {
    if (label == kUnlabelled) {
      ++out.unlabelled;
      continue;
    }
    if (label >= out.label_counts.size()) out.label_counts.resize(label + std::size_t{1}, 0);
    ++out.label_counts[label];
  }
  out.subjects = different(table.subjects);
  out.sessions = different(table.sessions);
  out.runs = different(table.runs);
  out.has_splits = !table.splits.empty();
  for (const Split split : table.splits) ++out.split_counts[static_cast<std::size_t>(split)];
  for (const auto& [name, values] : table.columns) out.columns.push_back(printable(name));
  out.content_hash = combined_hash(contents.hashes);
}

}  // namespace

Hdf5Contents survey_hdf5(const std::string& path, std::uint64_t file_bytes,
                         const Hdf5PixelStore& store, Hdf5Pixels pixels) {
  const Hdf5Silence silence;
  const Hdf5Id file = open_hdf5_file(path);
  const Hdf5Listing listing = list_hdf5(file.get());
  Hdf5Contents contents;
  Hdf5Description& description = contents.description;
  for (const Hdf5DatasetInfo& info : listing.datasets)
    description.items.push_back({printable(info.path), info.type_name, info.shape, info.storage});
  description.more_items = listing.more;
  try {
    const Hdf5Schema schema = find_schema(listing, pixels);
    description.notes = schema.notes;
    description.has_masks = schema.parts[0][Hdf5Role::masks] != nullptr;
    contents.layout = find_hdf5_layout(schema, file_bytes, description.notes);
    read_hdf5_table(file.get(), schema, file_bytes, contents);
    read_hdf5_attributes(file.get(), schema, contents);
    survey_hdf5_pixels(file.get(), store, contents);
    summarise(contents);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    Hdf5Contents listed;
    listed.description.items = std::move(description.items);
    listed.description.more_items = description.more_items;
    listed.description.problem = error.what();
    return listed;
  }
  return contents;
}

}  // namespace ratnet::inline v1
