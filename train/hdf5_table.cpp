#include "hdf5_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../core/error.h"
#include "hdf5_columns.h"
#include "hdf5_handle.h"

namespace ratnet::inline v1 {
namespace {

std::int64_t total(const Hdf5DatasetInfo& info) {
  std::uint64_t n = 1;
  for (const std::uint64_t size : info.shape)
    n = size > (std::uint64_t{1} << 31) ? 0 : std::min(n * size, std::uint64_t{1} << 31);
  return static_cast<std::int64_t>(n);
}

// Reads one column over all parts; `read` appends the values of one dataset. A column that only
// some parts have is left out, saying so.
template <class Read>
void read_column(const Hdf5Schema& schema, const Hdf5ImageLayout& layout, Hdf5Role role,
                 std::vector<std::string>& notes, const Read& read) {
  std::size_t present = 0;
  for (const Hdf5Part& part : schema.parts) present += part[role] != nullptr;
  if (present == 0) return;
  if (present < schema.parts.size()) {
    for (const Hdf5Part& part : schema.parts)
      if (part[role] != nullptr) {
        notes.push_back(text(to_string(*part[role]), " is not used: not every split has one"));
        return;
      }
  }
  for (std::size_t i = 0; i < schema.parts.size(); ++i) {
    const Hdf5DatasetInfo& info = *schema.parts[i][role];
    const std::int64_t n = layout.parts[i].count;
    if (!info.refused.empty())
      fail(ErrorKind::input, "'", printable(info.path), "' ", info.refused);
    const bool rows_match = static_cast<std::int64_t>(info.rows()) == n;
    if (!rows_match && total(info) != n)
      fail(ErrorKind::input, to_string(info), " does not fit ", n, " images");
    if (total(info) > 256 * n)
      fail(ErrorKind::input, to_string(info), " does not fit ", n, " images");
    read(info, n);
  }
}

void read_labels(std::int64_t file, const Hdf5Schema& schema, Hdf5Contents& contents) {
  std::vector<std::string>& notes = contents.description.notes;
  std::vector<std::uint8_t>& labels = contents.table.labels;
  bool negative = false;
  read_column(schema, contents.layout, Hdf5Role::labels, notes,
              [&](const Hdf5DatasetInfo& info, std::int64_t n) {
                if (total(info) != n) {
                  notes.push_back(text(to_string(info), " is taken as one-hot labels"));
                  const std::vector<std::uint8_t> more = read_hdf5_one_hot(file, info);
                  labels.insert(labels.end(), more.begin(), more.end());
                  return;
                }
                if (info.rank() == 2)
                  notes.push_back(text(to_string(info), " is taken as one label for each image"));
                for (const std::int64_t value : read_hdf5_integers(file, info)) {
                  if (value < -1 || value > 255)
                    fail(ErrorKind::input, to_string(info), " holds the label ", value,
                         "; labels are 0 to 254, and 255 where there is none");
                  negative |= value == -1;
                  labels.push_back(static_cast<std::uint8_t>(value));
                }
              });
  if (negative) notes.emplace_back("labels of -1 are taken as 'not labelled'");
  if (labels.empty()) notes.emplace_back("it has no labels");
}

void read_splits(std::int64_t file, const Hdf5Schema& schema, std::size_t& budget,
                 Hdf5Contents& contents) {
  std::vector<Split>& splits = contents.table.splits;
  for (std::size_t i = 0; i < schema.parts.size(); ++i)
    if (schema.parts[i].split)
      splits.insert(splits.end(), static_cast<std::size_t>(contents.layout.parts[i].count),
                    *schema.parts[i].split);
  if (!splits.empty()) return;
  const auto add = [&](const Hdf5DatasetInfo& info, const std::string& value) {
    if (value == "0" || value == "train" || value == "training")
      splits.push_back(Split::train);
    else if (value == "1" || value == "validation" || value == "val" || value == "valid")
      splits.push_back(Split::validation);
    else if (value == "2" || value == "test")
      splits.push_back(Split::test);
    else
      fail(ErrorKind::input, to_string(info), " holds ", printable(value).substr(0, 40),
           "; splits are 0 (train), 1 (validation) and 2 (test)");
  };
  read_column(schema, contents.layout, Hdf5Role::split, contents.description.notes,
              [&](const Hdf5DatasetInfo& info, std::int64_t) {
                for (const std::string& value : read_hdf5_strings(file, info, budget))
                  add(info, value);
              });
}

}  // namespace

void read_hdf5_table(std::int64_t file, const Hdf5Schema& schema, std::uint64_t file_bytes,
                     Hdf5Contents& contents) {
  SampleTable& table = contents.table;
  std::vector<std::string>& notes = contents.description.notes;
  read_labels(file, schema, contents);
  std::size_t budget = (std::size_t{64} << 20) + file_bytes;
  const auto strings = [&](Hdf5Role role, std::vector<std::string>& out) {
    read_column(schema, contents.layout, role, notes,
                [&](const Hdf5DatasetInfo& info, std::int64_t) {
                  for (std::string& value : read_hdf5_strings(file, info, budget))
                    out.push_back(std::move(value));
                });
  };
  const auto integers = [&](Hdf5Role role, std::vector<std::int32_t>& out) {
    read_column(schema, contents.layout, role, notes,
                [&](const Hdf5DatasetInfo& info, std::int64_t) {
                  for (const std::int64_t value : read_hdf5_integers(file, info)) {
                    if (value != static_cast<std::int32_t>(value))
                      fail(ErrorKind::input, to_string(info), " holds ", value,
                           ", which does not fit 32 bits");
                    out.push_back(static_cast<std::int32_t>(value));
                  }
                });
  };
  strings(Hdf5Role::subject, table.subjects);
  strings(Hdf5Role::session, table.sessions);
  strings(Hdf5Role::run, table.runs);
  integers(Hdf5Role::volume, table.volumes);
  integers(Hdf5Role::slice, table.slices);
  read_splits(file, schema, budget, contents);
  for (const Hdf5DatasetInfo* info : schema.columns) {
    std::vector<std::uint8_t>& column = table.columns[info->path];
    for (const std::int64_t value : read_hdf5_integers(file, *info))
      column.push_back(static_cast<std::uint8_t>(value));
  }
}

void read_hdf5_attributes(std::int64_t file, const Hdf5Schema& schema, Hdf5Contents& contents) {
  DatasetAttributes& attributes = contents.description.attributes;
  const Hdf5Part& part = schema.parts.front();
  std::vector<std::string> places = {"/", part[Hdf5Role::images]->path};
  for (const std::string& place : places)
    if (!attributes.scale) attributes.scale = read_hdf5_number_attribute(file, place, "scale");
  if (attributes.scale && !(std::isfinite(*attributes.scale) && *attributes.scale > 0))
    fail(ErrorKind::input, "the attribute 'scale' is ", *attributes.scale,
         "; it must be a level above 0");
  if (part[Hdf5Role::labels] != nullptr) places.push_back(part[Hdf5Role::labels]->path);
  for (const std::string& place : places)
    if (attributes.class_names.empty())
      attributes.class_names = read_hdf5_text_attribute(file, place, "class_names");
  for (std::string& name : attributes.class_names) name = printable(name);
  for (const std::uint8_t label : contents.table.labels)
    if (label != kUnlabelled && !attributes.class_names.empty() &&
        label >= attributes.class_names.size())
      fail(ErrorKind::input, "label ", static_cast<int>(label), " has no name among the ",
           attributes.class_names.size(), " in the attribute 'class_names'");
  for (const auto& [column, values] : contents.table.columns) {
    std::vector<std::string> names = read_hdf5_text_attribute(file, column, "value_names");
    if (names.empty()) continue;
    for (std::string& name : names) name = printable(name);
    for (const std::uint8_t value : values)
      if (value >= names.size())
        fail(ErrorKind::input, "the value ", static_cast<int>(value), " of '", printable(column),
             "' has no name among the ", names.size(), " in its attribute 'value_names'");
    attributes.value_names[column] = std::move(names);
  }
}

}  // namespace ratnet::inline v1
