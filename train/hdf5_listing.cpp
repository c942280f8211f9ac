#include "hdf5_listing.h"

#include <hdf5.h>

#include <array>
#include <exception>
#include <string_view>

#include "../core/error.h"
#include "hdf5_handle.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kMostDatasets = 1000;
constexpr int kMostLinks = 10000;
constexpr int kDeepest = 3;
constexpr std::uint64_t kLargestChunk = std::uint64_t{128} << 20;

std::string joined(const std::vector<std::uint64_t>& sizes, std::string_view between) {
  std::string out;
  for (const std::uint64_t size : sizes) {
    if (!out.empty()) out.append(between);
    out.append(std::to_string(size));
  }
  return out;
}

void describe_type(std::int64_t type, Hdf5DatasetInfo& info) {
  using Kind = Hdf5DatasetInfo::Kind;
  info.type_bytes = H5Tget_size(type);
  const auto numeric = [&](const char* letter, std::int64_t base) {
    info.type_name = letter + std::to_string(info.type_bytes * 8);
    if (info.type_bytes > 1 && H5Tget_order(base) == H5T_ORDER_BE) info.type_name += " big-endian";
  };
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      info.kind = info.type_bytes <= 8 ? Kind::integer : Kind::other;
      info.is_signed = H5Tget_sign(type) == H5T_SGN_2;
      return numeric(info.is_signed ? "i" : "u", type);
    case H5T_FLOAT:
      info.kind = info.type_bytes <= 8 ? Kind::floating : Kind::other;
      return numeric("f", type);
    case H5T_ENUM:
      // How h5py stores true and false.
      if (info.type_bytes == 1) info.kind = Kind::integer;
      info.type_name = "enumeration of " + std::to_string(info.type_bytes * 8) + " bits";
      return;
    case H5T_STRING:
      info.kind = Kind::text;
      info.type_name =
          H5Tis_variable_str(type) > 0 ? "string" : "string of " + std::to_string(info.type_bytes);
      return;
    case H5T_COMPOUND: info.type_name = "compound"; return;
    case H5T_ARRAY: info.type_name = "array"; return;
    case H5T_BITFIELD: info.type_name = "bit field"; return;
    case H5T_OPAQUE: info.type_name = "opaque"; return;
    case H5T_REFERENCE: info.type_name = "reference"; return;
    case H5T_VLEN: info.type_name = "list"; return;
    case H5T_TIME: info.type_name = "time"; return;
    default: info.type_name = "unknown"; return;
  }
}

void describe_filters(std::int64_t creation, Hdf5DatasetInfo& info) {
  const int filters = H5Pget_nfilters(creation);
  for (int i = 0; i < filters; ++i) {
    std::size_t parameters = 0;
    unsigned flags = 0, config = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags,
                                               &parameters, nullptr, 0, nullptr, &config);
    static constexpr std::array<const char*, 7> names = {"",     "gzip", "shuffle",    "fletcher32",
                                                         "szip", "nbit", "scaleoffset"};
    const bool known = filter >= 1 && filter < static_cast<int>(names.size());
    const std::string name =
        known ? names[static_cast<std::size_t>(filter)] : "filter " + std::to_string(filter);
    info.storage += ", " + name;
    // Asking for an unknown filter would search the disk for a plug-in.
    if (!known || H5Zfilter_avail(filter) <= 0)
      info.refused = text("is packed with ", name,
                          ", which this HDF5 library does not have; "
                          "repack it with `h5repack -f GZIP=4`");
  }
}

void describe_storage(std::int64_t dataset, Hdf5DatasetInfo& info) {
  const Hdf5Id creation(H5Dget_create_plist(dataset));
  if (!creation) {
    info.refused = "cannot be described (" + hdf5_reason() + ")";
    return;
  }
  switch (H5Pget_layout(creation.get())) {
    case H5D_COMPACT: info.storage = "compact"; break;
    case H5D_CONTIGUOUS:
      info.storage = "contiguous";
      if (H5Pget_external_count(creation.get()) != 0) {
        info.storage = "external";
        info.refused = "takes its values from other files (external storage); copy them into it";
      }
      break;
    case H5D_CHUNKED: {
      std::array<hsize_t, H5S_MAX_RANK> sizes{};
      const int rank = H5Pget_chunk(creation.get(), H5S_MAX_RANK, sizes.data());
      std::uint64_t bytes = info.type_bytes;
      for (int i = 0; i < rank; ++i) {
        const hsize_t size = sizes[static_cast<std::size_t>(i)];
        info.chunk.push_back(size);
        bytes = size > kLargestChunk ? kLargestChunk + 1 : bytes * size;
        if (bytes > kLargestChunk) bytes = kLargestChunk + 1;
      }
      info.storage = "chunks of " + joined(info.chunk, "x");
      if (bytes > kLargestChunk) info.refused = "has chunks above 128 MiB; repack it with h5repack";
      break;
    }
    case H5D_VIRTUAL:
      info.storage = "virtual";
      info.refused = "takes its values from other files (virtual dataset); copy them into it";
      break;
    default: info.refused = "has a layout that is not known"; break;
  }
  describe_filters(creation.get(), info);
}

void describe_shape(std::int64_t dataset, Hdf5DatasetInfo& info) {
  const Hdf5Id space(H5Dget_space(dataset));
  const int rank = space ? H5Sget_simple_extent_ndims(space.get()) : -1;
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  if (rank < 0 || rank > H5S_MAX_RANK ||
      H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr) < 0) {
    info.refused = "cannot be described (" + hdf5_reason() + ")";
    return;
  }
  info.shape.assign(sizes.begin(), sizes.begin() + rank);
}

struct Walk {
  Hdf5Listing listing;
  int links = 0;
  std::exception_ptr failure;
};

struct Level {
  Walk& walk;
  std::string prefix;
  int depth;
};

void list_group(std::int64_t group, Walk& walk, const std::string& prefix, int depth);

void visit_link(std::int64_t group, const char* name, const H5L_info_t& link, const Level& level) {
  Walk& walk = level.walk;
  const std::string path = level.prefix + name;
  if (++walk.links > kMostLinks || walk.listing.datasets.size() >= kMostDatasets ||
      path.size() > 1024) {
    walk.listing.more = true;
    return;
  }
  if (link.type != H5L_TYPE_HARD) {
    walk.listing.links.push_back(path);
    return;
  }
  Hdf5DatasetInfo info;
  info.path = path;
  const Hdf5Id object(H5Oopen(group, name, H5P_DEFAULT));
  if (!object) {
    info.type_name = "unreadable";
    info.refused = "cannot be opened (" + hdf5_reason() + ")";
    walk.listing.datasets.push_back(std::move(info));
    return;
  }
  const H5I_type_t type = H5Iget_type(object.get());
  if (type == H5I_GROUP) return list_group(object.get(), walk, path + "/", level.depth + 1);
  if (type != H5I_DATASET) return;

  const Hdf5Id element(H5Dget_type(object.get()));
  if (element) describe_type(element.get(), info);
  describe_storage(object.get(), info);
  // To tell its extent, the library would open the files that a virtual dataset names.
  if (info.storage != "virtual") describe_shape(object.get(), info);
  walk.listing.datasets.push_back(std::move(info));
}

void list_group(std::int64_t group, Walk& walk, const std::string& prefix, int depth) {
  if (depth > kDeepest) {
    walk.listing.more = true;
    return;
  }
  Level level{walk, prefix, depth};
  const auto visit = [](hid_t at, const char* name, const H5L_info_t* link,
                        void* context) -> herr_t {
    const auto& here = *static_cast<Level*>(context);
    // No exception may pass through the library.
    try {
      visit_link(at, name, *link, here);
      return here.walk.failure ? -1 : 0;
    } catch (...) {
      if (!here.walk.failure) here.walk.failure = std::current_exception();
      return -1;
    }
  };
  const herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &level);
  if (walk.failure) std::rethrow_exception(walk.failure);
  if (status < 0)
    fail(ErrorKind::input, "its group '/", printable(prefix), "' cannot be read (", hdf5_reason(),
         ")");
}

}  // namespace

std::string to_string(const Hdf5DatasetInfo& info) {
  return text("'", printable(info.path), "' [", joined(info.shape, ", "), "]");
}

Hdf5Listing list_hdf5(std::int64_t file) {
  Walk walk;
  const Hdf5Id root(H5Gopen2(file, "/", H5P_DEFAULT));
  if (!root) fail(ErrorKind::input, "its root group cannot be opened (", hdf5_reason(), ")");
  list_group(root.get(), walk, "", 0);
  return std::move(walk.listing);
}

}  // namespace ratnet::inline v1
