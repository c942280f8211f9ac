#include "nifti_header.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "foreign_format.h"
#include "nifti_affine.h"
#include "nifti_fields.h"

namespace ratnet::inline v1 {
namespace {

NiftiType type_of(const std::string& path, int code) {
  switch (code) {
    case 2:
    case 4:
    case 8:
    case 16:
    case 64:
    case 256:
    case 512:
    case 768:
    case 1024:
    case 1280: return static_cast<NiftiType>(code);
    case 32:
    case 1792:
    case 2048:
      fail(ErrorKind::input, path,
           ": holds complex numbers; store magnitude and phase as two files");
    case 128:
    case 2304: fail(ErrorKind::input, path, ": holds colours; a scan has one value per voxel");
    case 1536: fail(ErrorKind::input, path, ": holds 128-bit floats; store it as 64-bit floats");
    case 1: fail(ErrorKind::input, path, ": holds single bits; store it as unsigned bytes");
    default:
      fail(ErrorKind::input, path, ": unknown voxel type (code ", code, "); the header is damaged");
  }
}

void read_sizes(const std::string& path, const NiftiFields& f, NiftiInfo& info) {
  const std::int64_t rank = f.dim[0];
  if (rank < 1 || rank > 7)
    fail(ErrorKind::input, path, ": says it has ", rank, " dimensions; the header is damaged");
  std::int64_t bytes = static_cast<std::int64_t>(size_of(info.type));
  for (std::size_t i = 1; i <= static_cast<std::size_t>(rank); ++i) {
    if (f.dim[i] < 1)
      fail(ErrorKind::input, path, ": dimension ", i, " has size ", f.dim[i],
           "; the header is damaged or the scan is empty");
    // As floats the values may take four bytes where one is stored.
    std::int64_t widened = 0;
    if (__builtin_mul_overflow(bytes, f.dim[i], &bytes) ||
        __builtin_mul_overflow(bytes, std::int64_t{8}, &widened))
      fail(ErrorKind::input, path,
           ": says it holds more values than any file can; the header is damaged");
    if (i > 4 && f.dim[i] > 1)
      fail(ErrorKind::input, path, ": has ", f.dim[i], " entries in dimension ", i,
           "; scans have up to four dimensions (three in space and time): split it first");
  }
  const auto size = [&](std::size_t i) {
    return i <= static_cast<std::size_t>(rank) ? f.dim[i] : std::int64_t{1};
  };
  info.geometry.sizes = {size(1), size(2), size(3)};
  info.geometry.times = size(4);
}

bool finite(const Affine& affine) {
  for (const auto& row : affine)
    for (const double value : row)
      if (!std::isfinite(value)) return false;
  return true;
}

// sform, else qform, else voxel sizes alone, as the standard ranks them; one that maps to no volume
// is passed over.
void read_affine(const NiftiFields& f, NiftiInfo& info) {
  ScanGeometry& g = info.geometry;
  double to_mm = 1;
  switch (f.units & 7) {
    case 1: to_mm = 1000; break;
    case 3: to_mm = 0.001; break;
    default: break;
  }
  if (to_mm != 1) info.notes.push_back("lengths are in metres or micrometres, converted to mm");

  std::array<double, 3> pixdim{};
  bool sizes_missing = false;
  for (std::size_t i = 0; i < 3; ++i) {
    pixdim[i] = std::abs(f.pixdim[i + 1]);
    if (pixdim[i] > 0 && std::isfinite(pixdim[i])) continue;
    pixdim[i] = 1;
    sizes_missing = true;
  }

  const auto take = [&](Affine affine, const char* source) {
    for (std::size_t row = 0; row < 3; ++row)
      for (double& value : affine[row]) value *= to_mm;
    const std::string codes = finite(affine) ? orientation_of(affine) : std::string();
    if (codes.empty()) {
      info.notes.push_back(text("the ", source, " makes no sense and is passed over"));
      return false;
    }
    g.affine = affine;
    g.spacing = spacing_of(affine);
    g.orientation = codes;
    g.orientation_known = true;
    info.affine_source = source;
    return true;
  };

  Affine sform{};
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t i = 0; i < 4; ++i) sform[row][i] = f.srow[row][i];
  sform[3] = {0, 0, 0, 1};
  const NiftiQform qform{.b = f.quaternion[0],
                         .c = f.quaternion[1],
                         .d = f.quaternion[2],
                         .handedness = f.pixdim[0] < 0 ? -1.0 : 1.0,
                         .offset = {f.qoffset[0], f.qoffset[1], f.qoffset[2]}};
  if (f.sform_code > 0 && take(sform, "sform")) return;
  if (f.qform_code > 0 && take(affine_from_qform(qform, pixdim), "qform")) return;

  if (sizes_missing) info.notes.push_back("the header has no voxel sizes; 1 mm is assumed");
  info.notes.push_back("the header does not say which way the head lies");
  info.affine_source = "voxel sizes only";
  g.affine = {};
  for (std::size_t i = 0; i < 3; ++i) g.affine[i][i] = g.spacing[i] = pixdim[i] * to_mm;
  g.affine[3][3] = 1;
}

// Seconds between volumes, only where the header can be believed: units are often wrong.
void read_repetition_time(const NiftiFields& f, NiftiInfo& info) {
  constexpr double kShortest = 0.01, kLongest = 60;
  if (f.dim[0] < 4 || info.geometry.times < 2) return;
  const double stated = f.pixdim[4];
  double seconds = 0;
  const char* unit = "";
  switch (f.units & 0x38) {
    case 8: unit = "s", seconds = stated; break;
    case 16: unit = "ms", seconds = stated / 1e3; break;
    case 24: unit = "us", seconds = stated / 1e6; break;
    default:
      info.notes.push_back(
          text("the repetition time (", stated, ") has no unit of time and is not used"));
      return;
  }
  if (seconds >= kShortest && seconds <= kLongest) {
    info.geometry.repetition_time = seconds;
    return;
  }
  info.notes.push_back(
      text("the repetition time, ", stated, " ", unit, ", cannot be right and is not used"));
}

void read_scaling(const std::string& path, const NiftiFields& f, NiftiInfo& info) {
  if (f.slope == 0 || !std::isfinite(f.slope)) return;
  if (!std::isfinite(f.intercept))
    fail(ErrorKind::input, path, ": the scaling of its values has slope ", f.slope,
         " and no valid intercept; the header is damaged");
  info.slope = f.slope;
  info.intercept = f.intercept;
}

void read_offset(const std::string& path, const NiftiFields& f, NiftiInfo& info) {
  constexpr double kLongest = 1 << 30;
  const double header = info.version == 1 ? kNifti1Size + 4 : kNifti2Size + 4;
  const double lowest = info.pair ? 0 : header;
  if (!(f.offset >= lowest && f.offset <= kLongest) || f.offset != std::floor(f.offset))
    fail(ErrorKind::input, path, ": says its values begin at byte ", f.offset,
         ", which cannot be; the header is damaged");
  info.data_offset = static_cast<std::int64_t>(f.offset);
}

}  // namespace

std::string_view name_of(NiftiType type) {
  switch (type) {
    case NiftiType::u8: return "u8";
    case NiftiType::i16: return "i16";
    case NiftiType::i32: return "i32";
    case NiftiType::f32: return "f32";
    case NiftiType::f64: return "f64";
    case NiftiType::i8: return "i8";
    case NiftiType::u16: return "u16";
    case NiftiType::u32: return "u32";
    case NiftiType::i64: return "i64";
    case NiftiType::u64: return "u64";
  }
  return "";
}

std::size_t size_of(NiftiType type) {
  switch (type) {
    case NiftiType::u8:
    case NiftiType::i8: return 1;
    case NiftiType::i16:
    case NiftiType::u16: return 2;
    case NiftiType::i32:
    case NiftiType::u32:
    case NiftiType::f32: return 4;
    case NiftiType::i64:
    case NiftiType::u64:
    case NiftiType::f64: return 8;
  }
  return 0;
}

std::uint64_t volume_bytes(const NiftiInfo& info) {
  const auto& s = info.geometry.sizes;
  return static_cast<std::uint64_t>(s[0] * s[1] * s[2]) * size_of(info.type);
}

std::uint64_t voxels_end(const NiftiInfo& info) {
  return static_cast<std::uint64_t>(info.data_offset) +
         volume_bytes(info) * static_cast<std::uint64_t>(info.geometry.times);
}

NiftiInfo parse_nifti_header(InputFile& file) {
  const std::string& path = file.path();
  std::byte raw[kNifti2Size] = {};
  const std::size_t first = file.read_some({raw, kNifti1Size});
  const std::span<const std::byte> start(raw, first);
  const auto refuse = [&]() { fail(ErrorKind::input, path, ": ", foreign_format(path, start)); };
  if (first < kNifti1Size) refuse();

  const auto is = [&](std::size_t offset, std::string_view magic) {
    return std::memcmp(raw + offset, magic.data(), magic.size()) == 0;
  };
  NiftiInfo info;
  info.gzip = file.gzip();
  std::int32_t size = 0;
  std::memcpy(&size, raw, sizeof size);
  const bool swap = size == static_cast<std::int32_t>(__builtin_bswap32(kNifti1Size)) ||
                    size == static_cast<std::int32_t>(__builtin_bswap32(kNifti2Size));
  const auto header_size =
      static_cast<std::size_t>(swap ? __builtin_bswap32(static_cast<std::uint32_t>(size))
                                    : static_cast<std::uint32_t>(size));
  info.big_endian = (std::endian::native == std::endian::big) != swap;

  if (header_size == kNifti1Size && (is(344, {"n+1\0", 4}) || is(344, {"ni1\0", 4}))) {
    info.version = 1;
    info.pair = is(344, "ni1");
  } else if (header_size == kNifti2Size &&
             (is(4, {"n+2\0\r\n\x1a\n", 8}) || is(4, {"ni2\0\r\n\x1a\n", 8}))) {
    info.version = 2;
    info.pair = is(4, "ni2");
    file.read({raw + kNifti1Size, kNifti2Size - kNifti1Size}, "header");
  } else {
    refuse();
  }

  const NiftiFields fields = info.version == 1
                                 ? nifti1_fields(std::span(raw).first<kNifti1Size>(), swap)
                                 : nifti2_fields(raw, swap);
  info.type = type_of(path, fields.datatype);
  read_sizes(path, fields, info);
  read_offset(path, fields, info);
  read_scaling(path, fields, info);
  read_affine(fields, info);
  read_repetition_time(fields, info);
  // Bits 4 and 5 of dim_info hold the slice axis, counted from 1.
  info.geometry.slice_axis = ((fields.dim_info >> 4) & 3) - 1;
  return info;
}

}  // namespace ratnet::inline v1
