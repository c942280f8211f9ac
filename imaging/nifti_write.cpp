#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <zlib.h>

#include "../core/atomic_file.h"
#include "nifti.h"
#include "nifti_affine.h"

namespace ratnet::inline v1 {
namespace {

static_assert(std::endian::native == std::endian::little,
              "voxels are written as they lie in memory");

constexpr std::size_t kOffset = 352;  // header and an empty extension flag
using Header = std::array<std::byte, kOffset>;

template <class T>
void put(Header& header, std::size_t offset, T value) {
  std::memcpy(header.data() + offset, &value, sizeof value);
}

struct StoredType {
  NiftiType type;
  std::int16_t bits;
};

StoredType stored_type(const std::string& path, DType dtype) {
  switch (dtype) {
    case DType::u8: return {NiftiType::u8, 8};
    case DType::i16: return {NiftiType::i16, 16};
    case DType::f32: return {NiftiType::f32, 32};
    default:
      fail(ErrorKind::usage, path, ": NIfTI is written from f32, u8 or i16, not from ",
           name_of(dtype));
  }
}

Header make_header(const std::string& path, DType dtype, const ScanGeometry& g) {
  Header h{};
  put<std::int32_t>(h, 0, 348);
  put<char>(h, 38, 'r');  // as ANALYZE wanted it
  if (g.slice_axis >= 0)
    put<std::uint8_t>(h, 39, static_cast<std::uint8_t>((g.slice_axis + 1) << 4));

  const bool series = g.times > 1;
  const std::array<std::int64_t, 4> sizes{g.sizes[0], g.sizes[1], g.sizes[2], g.times};
  put<std::int16_t>(h, 40, series ? 4 : 3);
  for (std::size_t i = 0; i < 7; ++i) {
    const std::int64_t size = i < 4 ? sizes[i] : 1;
    require(size >= 1 && size <= 32767, path, ": NIfTI-1 holds sizes of 1 to 32767, not ", size);
    put(h, 42 + 2 * i, static_cast<std::int16_t>(size));
  }
  const StoredType type = stored_type(path, dtype);
  put(h, 70, static_cast<std::int16_t>(type.type));
  put(h, 72, type.bits);

  const std::optional<NiftiQform> qform = qform_from_affine(g.affine);
  put(h, 76, static_cast<float>(qform ? qform->handedness : 1));
  for (std::size_t i = 0; i < 3; ++i) put(h, 80 + 4 * i, static_cast<float>(g.spacing[i]));
  if (series && g.repetition_time) put(h, 92, static_cast<float>(*g.repetition_time));
  put<float>(h, 108, kOffset);
  put<float>(h, 112, 1);  // slope
  // Millimetres; seconds where there is a time to give.
  put<std::uint8_t>(h, 123, series && g.repetition_time ? 2 | 8 : 2);

  if (g.orientation_known) {
    if (qform) {
      put<std::int16_t>(h, 252, 1);
      const double q[6] = {qform->b,         qform->c,         qform->d,
                           qform->offset[0], qform->offset[1], qform->offset[2]};
      for (std::size_t i = 0; i < 6; ++i) put(h, 256 + 4 * i, static_cast<float>(q[i]));
    }
    put<std::int16_t>(h, 254, 1);
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t i = 0; i < 4; ++i)
        put(h, 280 + 16 * row + 4 * i, static_cast<float>(g.affine[row][i]));
  }
  std::memcpy(h.data() + 344, "n+1", 4);
  return h;
}

// Packs what it is given into the file; gzip's header carries no time and no name, so that equal
// input gives equal bytes.
class GzipWriter {
 public:
  explicit GzipWriter(AtomicFile& file) : file_(file) {
    constexpr int kGzip = 15 + 16, kMemory = 8;
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      fail(ErrorKind::device, "out of memory while packing");
  }
  ~GzipWriter() { deflateEnd(&stream_); }
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  void write(std::span<const std::byte> bytes) {
    constexpr std::size_t kStep = 1u << 30;  // zlib counts in 32 bits
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), kStep)))
      pack(bytes.first(std::min(bytes.size(), kStep)), Z_NO_FLUSH);
  }
  void finish() { pack({}, Z_FINISH); }

 private:
  void pack(std::span<const std::byte> bytes, int flush) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(packed_.data());
      stream_.avail_out = static_cast<uInt>(packed_.size());
      deflate(&stream_, flush);
      file_.write(std::span<const std::byte>(packed_).first(packed_.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

  AtomicFile& file_;
  z_stream stream_{};
  std::vector<std::byte> packed_ = std::vector<std::byte>(1 << 16);
};

}  // namespace

void write_nifti(const std::string& path, const ConstView& data, const ScanGeometry& geometry) {
  const auto ends_in = [&](std::string_view end) {
    return path.size() > end.size() &&
           std::string_view(path).substr(path.size() - end.size()) == end;
  };
  const bool gzip = ends_in(".nii.gz");
  require(gzip || ends_in(".nii"), path, ": a NIfTI file is written as .nii or .nii.gz");
  const auto& s = geometry.sizes;
  const Shape with_time{geometry.times, s[2], s[1], s[0]}, without{s[2], s[1], s[0]};
  require(data && (data.shape == with_time || (geometry.times == 1 && data.shape == without)), path,
          ": data is ", to_string(data.shape), ", its geometry asks for ", to_string(with_time));

  const Header header = make_header(path, data.dtype, geometry);
  const std::span<const std::byte> voxels(static_cast<const std::byte*>(data.data), data.bytes());
  AtomicFile file(path);
  if (gzip) {
    GzipWriter writer(file);
    writer.write(header);
    writer.write(voxels);
    writer.finish();
  } else {
    file.write(header);
    file.write(voxels);
  }
  file.commit();
}

void write_nifti(const std::string& path, const Volume& volume) {
  check(volume);
  write_nifti(path, volume.data, volume.geometry);
}

}  // namespace ratnet::inline v1
