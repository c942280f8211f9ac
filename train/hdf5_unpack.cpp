#include "hdf5_unpack.h"

#include <libdeflate.h>

#include <cstring>
#include <new>

#include "../core/error.h"

namespace ratnet::inline v1 {
namespace {

// [V, n] bytes to [n, V].
template <std::size_t V>
void interleave(const std::byte* from, std::byte* to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t v = 0; v < V; ++v) to[i * V + v] = from[v * n + i];
}

void unshuffle(const Hdf5Packing& packing, const std::byte* from, std::byte* to) {
  const std::size_t n = packing.chunk_bytes / packing.value_bytes;
  switch (packing.value_bytes) {
    case 2: return interleave<2>(from, to, n);
    case 4: return interleave<4>(from, to, n);
    default:
      fail(ErrorKind::internal, "values of ", packing.value_bytes, " bytes are not shuffled");
  }
}

}  // namespace

bool Hdf5Packing::is_known() const {
  const auto is = [&](std::size_t at, Hdf5Filter filter) { return filters[at] == filter; };
  switch (filters.size()) {
    case 0:
    case 1: return true;
    case 2: return is(0, Hdf5Filter::shuffle) && is(1, Hdf5Filter::deflate);
    default: return false;
  }
}

std::size_t Hdf5Packing::most_stored_bytes() const { return chunk_bytes + chunk_bytes / 8 + 1024; }

std::byte* GrowingBytes::at_least(std::size_t size) {
  if (size > size_) {
    size_ = 0;
    memory_ = {};  // before there are two of them
    memory_ = allocate_aligned(size);
    size_ = size;
  }
  return static_cast<std::byte*>(memory_.get());
}

void Hdf5Unpacker::Release::operator()(libdeflate_decompressor* decompressor) const {
  libdeflate_free_decompressor(decompressor);
}

Hdf5Unpacker::Hdf5Unpacker() : decompressor_(libdeflate_alloc_decompressor()) {
  if (!decompressor_) throw std::bad_alloc();
}

std::string_view Hdf5Unpacker::unpack(const Hdf5Packing& packing, std::span<const std::byte> stored,
                                      std::uint32_t skipped_filters, std::byte* to) {
  bool inflates = false, unshuffles = false;
  for (std::size_t k = 0; k < packing.filters.size(); ++k) {
    if ((skipped_filters >> k & 1u) != 0) continue;
    if (packing.filters[k] == Hdf5Filter::deflate)
      inflates = true;
    else
      unshuffles = packing.value_bytes > 1;  // single bytes lie in order anyway
  }
  if (!inflates && stored.size() != packing.chunk_bytes)
    return "is damaged: it is not as large as a chunk";
  const std::byte* from = stored.data();
  if (inflates) {
    std::byte* out = unshuffles ? inflated_.at_least(packing.chunk_bytes) : to;
    // Without a place for the size it has to be exactly the chunk's.
    switch (libdeflate_zlib_decompress(decompressor_.get(), stored.data(), stored.size(), out,
                                       packing.chunk_bytes, nullptr)) {
      case LIBDEFLATE_SUCCESS: break;
      case LIBDEFLATE_SHORT_OUTPUT: return "is damaged: it unpacks to less than a chunk";
      case LIBDEFLATE_INSUFFICIENT_SPACE: return "is damaged: it unpacks to more than a chunk";
      default: return "is damaged: it cannot be unpacked";
    }
    if (out == to) return {};
    from = out;
  }
  if (unshuffles)
    unshuffle(packing, from, to);
  else
    std::memcpy(to, from, packing.chunk_bytes);
  return {};
}

}  // namespace ratnet::inline v1
