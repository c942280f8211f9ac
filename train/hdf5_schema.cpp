#include "hdf5_schema.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "../core/error.h"
#include "hdf5_handle.h"

namespace ratnet::inline v1 {
namespace {

// The names of each role, the schema's own first.
const std::array<std::vector<std::string_view>, kHdf5Roles>& names() {
  static const std::array<std::vector<std::string_view>, kHdf5Roles> all = {{
      {"images", "image", "x", "data", "imgs", "img", "pixels", "inputs", "input", "slices"},
      {"labels", "label", "y", "targets", "target", "class", "classes"},
      {"masks", "mask", "segmentations", "segmentation", "seg", "label_maps", "label_map"},
      {"subject", "subjects", "subject_id", "subject_ids", "participant", "participant_id",
       "patient", "patient_id", "animal", "animal_id", "rat", "mouse"},
      {"session", "sessions", "session_id"},
      {"run", "runs", "run_id"},
      {"volume", "volumes", "volume_index", "frame", "time_index"},
      {"slice", "slices", "slice_index", "slice_number", "z"},
      {"split", "splits"},
  }};
  return all;
}

std::optional<Split> split_word(std::string_view word) {
  if (word == "train" || word == "training") return Split::train;
  if (word == "validation" || word == "valid" || word == "val" || word == "dev")
    return Split::validation;
  if (word == "test" || word == "testing") return Split::test;
  return std::nullopt;
}

struct ParsedName {
  std::string base;
  std::optional<Split> split;
};

// "X_train", "train/X", "train_set_x" are all {x, train}.
ParsedName parse_name(const std::string& path) {
  std::vector<std::string> words(1);
  for (const char c : path) {
    if (c == '/' || c == '-' || c == '.' || c == ' ' || c == '_')
      words.emplace_back();
    else
      words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  std::erase_if(words, [](const std::string& word) { return word.empty() || word == "set"; });
  ParsedName name;
  if (words.size() > 1) {
    if ((name.split = split_word(words.front())))
      words.erase(words.begin());
    else if ((name.split = split_word(words.back())))
      words.pop_back();
  }
  for (const std::string& word : words) name.base += (name.base.empty() ? "" : "_") + word;
  return name;
}

bool is_number(const Hdf5DatasetInfo& info) {
  return info.kind == Hdf5DatasetInfo::Kind::integer ||
         info.kind == Hdf5DatasetInfo::Kind::floating;
}

// Whether the shape and type suit the role; names alone are ambiguous ("slices", "data").
bool suits(const Hdf5DatasetInfo& info, Hdf5Role role) {
  if (!info.refused.empty()) return true;  // it will be refused by name
  switch (role) {
    case Hdf5Role::images: return is_number(info) && info.rank() >= 3 && info.rank() <= 5;
    case Hdf5Role::masks:
      return info.kind == Hdf5DatasetInfo::Kind::integer && info.rank() >= 3 && info.rank() <= 5;
    case Hdf5Role::labels: return is_number(info) && (info.rank() == 1 || info.rank() == 2);
    case Hdf5Role::volume:
    case Hdf5Role::slice: return is_number(info) && info.rank() == 1;
    default: return info.rank() == 1 && info.kind != Hdf5DatasetInfo::Kind::other;
  }
}

const Hdf5DatasetInfo* find(const Hdf5Listing& listing, Hdf5Role role,
                            const std::optional<Split>& split) {
  for (const std::string_view wanted : names()[static_cast<std::size_t>(role)]) {
    for (const Hdf5DatasetInfo& info : listing.datasets) {
      if (std::count(info.path.begin(), info.path.end(), '/') > 1) continue;
      const ParsedName name = parse_name(info.path);
      if (name.base == wanted && name.split == split && suits(info, role)) return &info;
    }
  }
  return nullptr;
}

[[noreturn]] void fail_no_images(const Hdf5Listing& listing) {
  std::string found;
  for (const Hdf5DatasetInfo& info : listing.datasets) {
    if (found.size() > 200) {
      found += ", ...";
      break;
    }
    found += (found.empty() ? "" : ", ") + to_string(info) + " " + info.type_name;
  }
  for (const std::string& link : listing.links)
    if (parse_name(link).base == "images")
      fail(ErrorKind::input, "'", printable(link), "' is a link, and links are not followed");
  fail(ErrorKind::input,
       "is not a dataset of slices: it needs 'images' [N, H, W], [N, H, W, C] or ",
       "[N, D, H, W, C] (u8, u16, i16 or f32) and has ", found.empty() ? "no dataset" : found);
}

Hdf5Part find_part(const Hdf5Listing& listing, const std::optional<Split>& split) {
  Hdf5Part part;
  part.split = split;
  for (std::size_t role = 0; role < kHdf5Roles; ++role) {
    const Hdf5DatasetInfo* found = find(listing, static_cast<Hdf5Role>(role), split);
    // "slices" may be either of two roles, never both.
    if (found != nullptr && std::count(part.roles.begin(), part.roles.end(), found) == 0)
      part.roles[role] = found;
  }
  return part;
}

bool is_used(const Hdf5Schema& schema, const Hdf5DatasetInfo& info) {
  for (const Hdf5Part& part : schema.parts)
    if (std::count(part.roles.begin(), part.roles.end(), &info) > 0) return true;
  return std::count(schema.columns.begin(), schema.columns.end(), &info) > 0;
}

void note_names(Hdf5Schema& schema) {
  std::string taken;
  for (const Hdf5Part& part : schema.parts) {
    for (std::size_t role = 0; role < kHdf5Roles; ++role) {
      const std::string_view own = names()[role].front();
      if (part.roles[role] == nullptr || part.roles[role]->path == own) continue;
      taken += text(taken.empty() ? "" : ", ", "'", printable(part.roles[role]->path), "' as ",
                    part.split ? text(name_of(*part.split), " ") : std::string(), own);
    }
  }
  if (!taken.empty()) schema.notes.push_back("taken by name: " + taken);
}

void note_unused(const Hdf5Listing& listing, Hdf5Schema& schema) {
  std::string unused;
  int count = 0;
  for (const Hdf5DatasetInfo& info : listing.datasets)
    if (!is_used(schema, info) && ++count <= 20)
      unused += text(unused.empty() ? "" : ", ", "'", printable(info.path), "'");
  if (count > 20) unused += text(" and ", count - 20, " more");
  if (count > 0) schema.notes.push_back("not used: " + unused);
  if (!listing.links.empty())
    schema.notes.push_back(text("links are not followed: '", printable(listing.links.front()), "'",
                                listing.links.size() > 1 ? " and others" : ""));
}

}  // namespace

Hdf5Schema find_schema(const Hdf5Listing& listing, Hdf5Pixels pixels) {
  Hdf5Schema schema;
  const Hdf5Part whole = find_part(listing, std::nullopt);
  if (whole[Hdf5Role::images] != nullptr) {
    schema.parts.push_back(whole);
    const Hdf5DatasetInfo& images = *whole[Hdf5Role::images];
    for (const Hdf5DatasetInfo& info : listing.datasets)
      if (info.kind == Hdf5DatasetInfo::Kind::integer && info.type_bytes == 1 && !info.is_signed &&
          info.rank() == 1 && info.rows() == images.rows() && info.refused.empty() &&
          info.path.find('/') == std::string::npos && !is_used(schema, info))
        schema.columns.push_back(&info);
  } else {
    for (const Split split : {Split::train, Split::validation, Split::test}) {
      const Hdf5Part part = find_part(listing, split);
      if (part[Hdf5Role::images] != nullptr) schema.parts.push_back(part);
    }
    if (schema.parts.empty()) fail_no_images(listing);
    schema.notes.push_back("the splits follow from the datasets' names");
  }
  schema.volumes = schema.parts.front()[Hdf5Role::images]->rank() == 5;
  if (pixels == Hdf5Pixels::masks) {
    for (Hdf5Part& part : schema.parts) {
      if (part[Hdf5Role::masks] == nullptr)
        fail(ErrorKind::input, "has no masks for ",
             part.split ? text("its ", name_of(*part.split), " images") : "its images",
             "; add a dataset 'masks' ", schema.volumes ? "[N, D, H, W]" : "[N, H, W]", " u8");
      if (part[Hdf5Role::masks]->rows() != part[Hdf5Role::images]->rows())
        fail(ErrorKind::input, "has ", part[Hdf5Role::masks]->rows(), " masks for ",
             part[Hdf5Role::images]->rows(), " images in '",
             printable(part[Hdf5Role::images]->path), "'");
      const auto rank = part[Hdf5Role::masks]->rank();
      if (schema.volumes ? rank < 4 : rank > 4)
        fail(ErrorKind::input, "has masks ", to_string(*part[Hdf5Role::masks]), " for images ",
             to_string(*part[Hdf5Role::images]));
      part.roles[static_cast<std::size_t>(Hdf5Role::images)] = part[Hdf5Role::masks];
    }
    schema.notes.clear();
    return schema;
  }
  note_names(schema);
  note_unused(listing, schema);
  return schema;
}

}  // namespace ratnet::inline v1
