#include "hdf5_chunks.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "../core/error.h"
#include "hdf5_handle.h"
#include "hdf5_memory_file.h"

namespace ratnet::inline v1 {
namespace {

constexpr hsize_t kLargestChunk = hsize_t{128} << 20;

static_assert(std::is_same_v<Hdf5Sizes::value_type, hsize_t>);

// The product, or more than `most` where it is more.
hsize_t product(std::span<const hsize_t> values, hsize_t most) {
  hsize_t all = 1;
  for (const hsize_t value : values)
    all = value > most ? most + 1 : std::min(all * value, most + 1);
  return all;
}

// Fills in the filters. Returns why they are not ours; empty where they are.
std::string read_filters(std::int64_t creation, Hdf5Packing& packing) {
  const int count = H5Pget_nfilters(creation);
  for (int i = 0; i < count; ++i) {
    unsigned parameters[8] = {}, flags = 0, config = 0;
    std::size_t n = 8;
    char name[32] = {};
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &n,
                                               parameters, sizeof name - 1, name, &config);
    const bool shuffles =
        filter == H5Z_FILTER_SHUFFLE && n >= 1 && parameters[0] == packing.value_bytes;
    if (filter != H5Z_FILTER_DEFLATE && !shuffles)
      return "it is packed with " + (name[0] != 0 ? printable(name) : text("filter ", filter));
    packing.filters.push_back(shuffles ? Hdf5Filter::shuffle : Hdf5Filter::deflate);
  }
  return packing.is_known() ? "" : "its filters are in an unusual order";
}

}  // namespace

Hdf5Chunks::Opened Hdf5Chunks::open(std::int64_t dataset, DType type, const Hdf5Sizes& shape,
                                    const std::string& name) {
  const Hdf5Id space(H5Dget_space(dataset));
  Hdf5Sizes found(H5S_MAX_RANK);
  const int rank = space ? H5Sget_simple_extent_dims(space.get(), found.data(), nullptr) : -1;
  if (rank != static_cast<int>(shape.size()) ||
      !std::equal(shape.begin(), shape.end(), found.begin()))
    fail(ErrorKind::input, "'", name, "' has changed while it was read");

  const Hdf5Id creation(H5Dget_create_plist(dataset));
  if (!creation || H5Pget_layout(creation.get()) != H5D_CHUNKED) return {};
  const bool packed = H5Pget_nfilters(creation.get()) > 0;
  const auto left_to_the_library = [&](std::string why) {
    return Opened{nullptr, packed ? std::move(why) : std::string()};
  };

  std::unique_ptr<Hdf5Chunks> out(new Hdf5Chunks);
  out->dataset_ = dataset;
  out->name_ = name;
  out->shape_ = shape;
  Hdf5Sizes& chunk = out->chunk_;
  chunk.resize(shape.size());
  if (H5Pget_chunk(creation.get(), rank, chunk.data()) != rank ||
      std::count(chunk.begin(), chunk.end(), 0) > 0)
    return left_to_the_library("its chunks cannot be described");

  Hdf5Packing& packing = out->packing_;
  packing.value_bytes = size_of(type);
  const hsize_t most = kLargestChunk / packing.value_bytes;
  Hdf5Sizes row = out->shape_;
  row[0] = std::min(row[0], chunk[0]);
  if (product(chunk, most) > most || product(row, most) > most)
    return left_to_the_library("its chunks are large");
  packing.chunk_bytes = product(chunk, most) * packing.value_bytes;
  out->row_bytes_ = product(std::span<const hsize_t>(row).subspan(1), most) * packing.value_bytes;
  out->whole_rows_ = std::equal(chunk.begin() + 1, chunk.end(), shape.begin() + 1);

  const Hdf5Id stored(H5Dget_type(dataset));
  out->memory_type_ = hdf5_stored_type(type).memory;
  if (H5Tequal(stored.get(), out->memory_type_) <= 0)
    return left_to_the_library("its values are stored in another type or byte order");
  if (std::string why = read_filters(creation.get(), packing); !why.empty())
    return left_to_the_library(std::move(why));
  unsigned options = 0;
  if (H5Pget_chunk_opts(creation.get(), &options) < 0 || options != 0)
    return left_to_the_library("its partial chunks are not filtered");
  return {std::move(out), {}};
}

void Hdf5Chunks::read(std::int64_t first, std::int64_t n, std::byte* to, std::mutex* library) {
  if (n == 0) return;
  std::unique_ptr<Workspace> work = borrow(first / chunk_rows());
  read_rows(first, n, to, library, *work);
  give_back(std::move(work));
}

// One that holds this row of chunks, if there is one.
std::unique_ptr<Hdf5Chunks::Workspace> Hdf5Chunks::borrow(std::int64_t row) {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      const auto holds = [&](const auto& workspace) { return workspace->kept_row == row; };
      const auto found = std::find_if(idle_.begin(), idle_.end(), holds);
      if (found != idle_.end()) std::swap(*found, idle_.back());
      std::unique_ptr<Workspace> workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>();
}

void Hdf5Chunks::give_back(std::unique_ptr<Workspace> workspace) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(workspace));
}

void Hdf5Chunks::read_rows(std::int64_t first, std::int64_t n, std::byte* to, std::mutex* library,
                           Workspace& work) const {
  for (std::int64_t row = first / chunk_rows(); n > 0; ++row) {
    const std::int64_t begin = row * chunk_rows();
    const std::int64_t end = std::min(begin + chunk_rows(), static_cast<std::int64_t>(shape_[0]));
    const std::int64_t here = std::min(n, end - first);
    const auto bytes_of = [&](std::int64_t rows) {
      return static_cast<std::size_t>(rows) * row_bytes_;
    };
    if (here == end - begin && work.kept_row != row) {
      read_row_of_chunks(row, to, library, work);
    } else {
      std::byte* kept = work.row.at_least(bytes_of(end - begin));
      if (work.kept_row != row) {
        work.kept_row = -1;
        read_row_of_chunks(row, kept, library, work);
        work.kept_row = row;
      }
      std::memcpy(to, kept + bytes_of(first - begin), bytes_of(here));
    }
    to += bytes_of(here);
    first += here;
    n -= here;
  }
}

// All images of a row of chunks to `to`.
void Hdf5Chunks::read_row_of_chunks(std::int64_t row, std::byte* to, std::mutex* library,
                                    Workspace& work) const {
  Hdf5Sizes offset(shape_.size(), 0);
  offset[0] = static_cast<std::uint64_t>(row) * chunk_[0];
  for (;;) {
    read_chunk(offset, to, library, work);
    std::size_t axis = shape_.size() - 1;
    while (axis > 0 && (offset[axis] += chunk_[axis]) >= shape_[axis]) offset[axis--] = 0;
    if (axis == 0) return;
  }
}

// One chunk to its place among the images of its row of chunks, which begin at `to`.
void Hdf5Chunks::read_chunk(const Hdf5Sizes& offset, std::byte* to, std::mutex* library,
                            Workspace& work) const {
  std::uint32_t skipped = 0;
  const bool straight = whole_rows_ && offset[0] + chunk_[0] <= shape_[0];
  const std::span<const std::byte> stored =
      fetch(offset, straight ? to : nullptr, library, skipped, work);
  if (stored.data() == to) return;
  if (stored.empty()) return read_unwritten(offset, to, library, work);
  std::byte* chunk = straight ? to : work.chunk.at_least(packing_.chunk_bytes);
  const std::string_view problem = work.unpacker.unpack(packing_, stored, skipped, chunk);
  if (!problem.empty()) fail_at(offset, std::string(problem));
  if (!straight) place(offset, chunk, to);
}

// The chunk as it is stored, empty where there is none; at `straight`, if there is such a
// place, where it was not packed.
std::span<const std::byte> Hdf5Chunks::fetch(const Hdf5Sizes& offset, std::byte* straight,
                                             std::mutex* library, std::uint32_t& skipped_filters,
                                             Workspace& work) const {
  const auto held =
      library != nullptr ? std::unique_lock(*library) : std::unique_lock<std::mutex>();
  const Hdf5Silence silence;
  hsize_t size = 0;
  // It fails, or answers 0, for a chunk that was never written.
  if (H5Dget_chunk_storage_size(dataset_, offset.data(), &size) < 0 || size == 0) return {};
  if (size > packing_.most_stored_bytes())
    fail_at(offset, text("is damaged: it takes ", size, " bytes, and unpacked only ",
                         packing_.chunk_bytes));
  const bool as_is =
      straight != nullptr && packing_.filters.empty() && size == packing_.chunk_bytes;
  std::byte* stored = as_is ? straight : work.stored.at_least(size);
  // The library remembers where it found the chunk, so this is the same one.
  if (H5Dread_chunk(dataset_, H5P_DEFAULT, offset.data(), &skipped_filters, stored) < 0)
    fail_at(offset, "cannot be read (" + hdf5_reason() + ")");
  return {stored, size};
}

// Lets the library read what it has no chunk for: fill values, or a reason.
void Hdf5Chunks::read_unwritten(const Hdf5Sizes& offset, std::byte* to, std::mutex* library,
                                Workspace& work) const {
  // A dataset may be without fill values, which leaves the memory as it is.
  std::byte* zeros = work.chunk.at_least(packing_.chunk_bytes);
  std::memset(zeros, 0, packing_.chunk_bytes);
  place(offset, zeros, to);
  Hdf5Sizes extent(shape_.size()), rows = shape_, place_in_rows = offset;
  for (std::size_t axis = 0; axis < shape_.size(); ++axis)
    extent[axis] = std::min(chunk_[axis], shape_[axis] - offset[axis]);
  rows[0] = extent[0];
  place_in_rows[0] = 0;
  const auto held =
      library != nullptr ? std::unique_lock(*library) : std::unique_lock<std::mutex>();
  const Hdf5Silence silence;
  const Hdf5Id stored(H5Dget_space(dataset_));
  const Hdf5Id memory(H5Screate_simple(static_cast<int>(rows.size()), rows.data(), nullptr));
  if (H5Sselect_hyperslab(stored.get(), H5S_SELECT_SET, offset.data(), nullptr, extent.data(),
                          nullptr) < 0 ||
      H5Sselect_hyperslab(memory.get(), H5S_SELECT_SET, place_in_rows.data(), nullptr,
                          extent.data(), nullptr) < 0 ||
      H5Dread(dataset_, memory_type_, memory.get(), stored.get(), H5P_DEFAULT, to) < 0)
    fail_at(offset, "cannot be read (" + hdf5_reason() + ")");
}

// Copies what of a chunk lies inside the dataset.
void Hdf5Chunks::place(const Hdf5Sizes& offset, const std::byte* chunk, std::byte* to) const {
  const std::size_t rank = shape_.size();
  // In bytes, from one index of an axis to the next: in the chunk and among the images.
  std::vector<std::size_t> extent(rank), in_chunk(rank), in_rows(rank);
  std::size_t chunk_step = packing_.value_bytes, rows_step = packing_.value_bytes;
  for (std::size_t axis = rank; axis-- > 0;) {
    extent[axis] = std::min(chunk_[axis], shape_[axis] - offset[axis]);
    in_chunk[axis] = chunk_step;
    in_rows[axis] = rows_step;
    chunk_step *= chunk_[axis];
    rows_step *= shape_[axis];
    if (axis > 0) to += offset[axis] * in_rows[axis];
  }
  // The last axes of which the chunk holds all lie together in both.
  std::size_t axes = rank - 1;
  while (axes > 0 && extent[axes] == chunk_[axes] && extent[axes] == shape_[axes]) --axes;
  const std::size_t run = extent[axes] * in_rows[axes];
  std::vector<std::size_t> at(axes, 0);
  for (;;) {
    std::memcpy(to, chunk, run);
    std::size_t axis = axes;
    for (;;) {
      if (axis-- == 0) return;
      to += in_rows[axis];
      chunk += in_chunk[axis];
      if (++at[axis] < extent[axis]) break;
      to -= extent[axis] * in_rows[axis];
      chunk -= extent[axis] * in_chunk[axis];
      at[axis] = 0;
    }
  }
}

void Hdf5Chunks::fail_at(const Hdf5Sizes& offset, const std::string& problem) const {
  std::string place;
  for (const hsize_t at : offset) place += (place.empty() ? "" : ", ") + std::to_string(at);
  fail(ErrorKind::input, "the chunk at [", place, "] of '", name_, "' ", problem);
}

}  // namespace ratnet::inline v1
