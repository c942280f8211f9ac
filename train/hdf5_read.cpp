#include "hdf5_read.h"

#include <hdf5.h>

#include <algorithm>
#include <cstring>

#include "../core/error.h"
#include "hdf5_memory_file.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{4} << 20;
constexpr std::size_t kLargestBlockBytes = std::size_t{64} << 20;
constexpr std::size_t kLargestCache = std::size_t{128} << 20;

// A cache that holds one row of chunks, so that reading image after image unpacks each once.
Hdf5Id access_properties(std::int64_t file, const std::string& path) {
  Hdf5Id access(H5Pcreate(H5P_DATASET_ACCESS));
  const Hdf5Id dataset(H5Dopen2(file, path.c_str(), H5P_DEFAULT));
  const Hdf5Id creation(dataset ? H5Dget_create_plist(dataset.get()) : -1);
  if (!creation || H5Pget_layout(creation.get()) != H5D_CHUNKED) return access;
  const Hdf5Id space(H5Dget_space(dataset.get()));
  const Hdf5Id type(H5Dget_type(dataset.get()));
  hsize_t chunk[H5S_MAX_RANK], shape[H5S_MAX_RANK];
  const int rank = H5Pget_chunk(creation.get(), H5S_MAX_RANK, chunk);
  if (H5Sget_simple_extent_dims(space.get(), shape, nullptr) != rank) return access;
  double bytes = static_cast<double>(H5Tget_size(type.get())) * static_cast<double>(chunk[0]);
  for (int i = 1; i < rank; ++i) {
    const auto chunks = (shape[i] + chunk[i] - 1) / chunk[i];
    bytes *= static_cast<double>(chunks * chunk[i]);
  }
  // The usual cache is 1 MiB; a prime number of slots.
  if (bytes > double{1 << 20} && bytes <= static_cast<double>(kLargestCache))
    H5Pset_chunk_cache(access.get(), 12421, static_cast<std::size_t>(bytes), 1.0);
  return access;
}

// [C, pixels] to [pixels, C].
template <class T>
void channels_last(const void* from, void* to, std::size_t pixels, std::size_t channels) {
  const auto* source = static_cast<const T*>(from);
  auto* target = static_cast<T*>(to);
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = 0; i < pixels; ++i) target[i * channels + c] = source[c * pixels + i];
}

template <class T>
void first_channel(const void* from, void* to, std::size_t pixels, std::size_t channels) {
  const auto* source = static_cast<const T*>(from);
  auto* target = static_cast<T*>(to);
  for (std::size_t i = 0; i < pixels; ++i) target[i] = source[i * channels];
}

// One image from how it is stored to how it is delivered.
template <class T>
void deliver(const Hdf5ImageLayout& layout, const void* from, void* to) {
  const auto pixels = static_cast<std::size_t>(layout.pixels());
  const auto channels = static_cast<std::size_t>(layout.channels);
  if (layout.grey && layout.channels_first)
    std::memcpy(to, from, pixels * sizeof(T));
  else if (layout.grey)
    first_channel<T>(from, to, pixels, channels);
  else
    channels_last<T>(from, to, pixels, channels);
}

}  // namespace

Hdf5ImageReader::Hdf5ImageReader(std::int64_t file, const Hdf5ImageLayout& layout,
                                 std::mutex* library)
    : layout_(layout), library_(library) {
  const auto pixel_bytes = static_cast<std::size_t>(layout.pixels()) * size_of(layout.dtype);
  stored_bytes_ = pixel_bytes * static_cast<std::size_t>(layout.channels);
  delivered_bytes_ = pixel_bytes * static_cast<std::size_t>(layout.delivered_channels());
  const auto fit = [&](std::size_t bytes) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(bytes / stored_bytes_));
  };
  const std::int64_t chunks = std::max<std::int64_t>(1, fit(kBlockBytes) / layout.chunk);
  block_ = std::min(layout.chunk * chunks, fit(kLargestBlockBytes));

  for (const Hdf5ImageLayout::Part& part : layout.parts) {
    const Hdf5Id access = access_properties(file, part.path);
    Hdf5Id dataset(H5Dopen2(file, part.path.c_str(), access.get()));
    if (!dataset)
      fail(ErrorKind::input, "'", printable(part.path), "' cannot be opened (", hdf5_reason(), ")");
    Hdf5Chunks::Opened opened = Hdf5Chunks::open(dataset.get(), layout.dtype,
                                                 stored_shape(part.count), printable(part.path));
    if (!opened.why_not.empty())
      notes_.push_back(text("'", printable(part.path), "' is unpacked by one thread, because ",
                            opened.why_not, "; h5repack -f SHUF -f GZIP=4 makes it load faster"));
    chunks_.push_back(std::move(opened.chunks));
    datasets_.push_back(std::move(dataset));
  }
}

void Hdf5ImageReader::read(std::int64_t first, std::int64_t n, void* to) {
  auto* at = static_cast<std::byte*>(to);
  for (std::size_t part = 0; part < layout_.parts.size() && n > 0; ++part) {
    const std::int64_t count = layout_.parts[part].count;
    if (first >= count) {
      first -= count;
      continue;
    }
    const std::int64_t here = std::min(n, count - first);
    read_part(part, first, here, at);
    at += static_cast<std::size_t>(here) * delivered_bytes_;
    n -= here;
    first = 0;
  }
}

// Of a part, or of n of its images.
Hdf5Sizes Hdf5ImageReader::stored_shape(std::int64_t n) const {
  const auto size = [](std::int64_t value) { return static_cast<hsize_t>(value); };
  Hdf5Sizes shape = {size(n)};
  if (layout_.channels_first) shape.push_back(size(layout_.channels));
  if (layout_.depth > 0) shape.push_back(size(layout_.depth));
  shape.push_back(size(layout_.height));
  shape.push_back(size(layout_.width));
  if (layout_.channel_axis && !layout_.channels_first) shape.push_back(size(layout_.channels));
  return shape;
}

void Hdf5ImageReader::read_part(std::size_t part, std::int64_t first, std::int64_t n,
                                std::byte* to) {
  const bool as_stored = !layout_.grey && (!layout_.channels_first || layout_.channels == 1);
  if (as_stored) return read_stored(part, first, n, to);

  // A row of chunks at a time, or a block where the library reads.
  const std::int64_t step = chunks_[part] ? std::min(chunks_[part]->chunk_rows(), block_) : block_;
  const AlignedMemory buffer =
      allocate_aligned(static_cast<std::size_t>(std::min(n, step)) * stored_bytes_);
  while (n > 0) {
    const std::int64_t here = std::min(n, step - first % step);
    const auto* from = static_cast<const std::byte*>(buffer.get());
    read_stored(part, first, here, static_cast<std::byte*>(buffer.get()));
    for (std::int64_t i = 0; i < here; ++i, from += stored_bytes_, to += delivered_bytes_) {
      switch (size_of(layout_.dtype)) {
        case 1: deliver<std::uint8_t>(layout_, from, to); break;
        case 2: deliver<std::uint16_t>(layout_, from, to); break;
        default: deliver<std::uint32_t>(layout_, from, to); break;
      }
    }
    first += here;
    n -= here;
  }
}

void Hdf5ImageReader::read_stored(std::size_t part, std::int64_t first, std::int64_t n,
                                  std::byte* to) {
  if (chunks_[part]) return chunks_[part]->read(first, n, to, library_);
  const auto held =
      library_ != nullptr ? std::unique_lock(*library_) : std::unique_lock<std::mutex>();
  const Hdf5Silence silence;
  const Hdf5Sizes count = stored_shape(n);
  Hdf5Sizes start(count.size(), 0);
  start[0] = static_cast<hsize_t>(first);
  const std::int64_t dataset = datasets_[part].get();
  const Hdf5Id file_space(H5Dget_space(dataset));
  // Of the file's rank: between different ranks HDF5 goes element by element.
  const Hdf5Id memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr));
  if (H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(),
                          nullptr) < 0 ||
      H5Dread(dataset, hdf5_stored_type(layout_.dtype).memory, memory.get(), file_space.get(),
              H5P_DEFAULT, to) < 0)
    fail(ErrorKind::input, "images ", first, " to ", first + n - 1, " of '",
         printable(layout_.parts[part].path), "' cannot be read (", hdf5_reason(), ")");
}

}  // namespace ratnet::inline v1
