#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include <unistd.h>

#include "input_file.h"
#include "nifti.h"
#include "nifti_header.h"

namespace ratnet::inline v1 {
namespace {

bool ends_in(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// "scan" and ".hdr.gz" of "scan.hdr.gz".
std::string_view without_extension(std::string_view path) {
  if (ends_in(path, ".gz")) path.remove_suffix(3);
  for (const std::string_view extension : {".hdr", ".img"})
    if (ends_in(path, extension)) return path.substr(0, path.size() - extension.size());
  return path;
}

// The other half of a pair, packed in the same way or not; "" when there is none.
std::string other_half(const std::string& path, const char* extension) {
  const std::string stem(without_extension(path));
  const bool gz = ends_in(path, ".gz");
  for (const bool packed : {gz, !gz}) {
    std::string candidate = stem + extension + (packed ? ".gz" : "");
    if (std::filesystem::exists(candidate)) return candidate;
  }
  return "";
}

std::string header_path(const std::string& path) {
  if (!ends_in(path, ".img") && !ends_in(path, ".img.gz")) return path;
  std::string header = other_half(path, ".hdr");
  if (header.empty())
    fail(ErrorKind::input, path,
         ": the header file (.hdr) that belongs to it is missing beside it");
  return header;
}

template <class T>
void convert(const std::byte* from, bool swap, double slope, double intercept,
             std::span<float> to) {
  const bool scaled = slope != 1 || intercept != 0;
  for (std::size_t i = 0; i < to.size(); ++i) {
    std::byte raw[sizeof(T)];
    std::memcpy(raw, from + i * sizeof(T), sizeof(T));
    if (swap) std::reverse(raw, raw + sizeof(T));
    T value;
    std::memcpy(&value, raw, sizeof(T));
    double result = static_cast<double>(value);
    if (scaled) result = slope * result + intercept;
    // A double beyond the largest float has no defined conversion.
    constexpr double kLargest = std::numeric_limits<float>::max();
    if (result > kLargest)
      to[i] = std::numeric_limits<float>::infinity();
    else if (result < -kLargest)
      to[i] = -std::numeric_limits<float>::infinity();
    else
      to[i] = static_cast<float>(result);
  }
}

void convert(const NiftiInfo& info, bool swap, const std::byte* from, std::span<float> to) {
  const double a = info.slope, b = info.intercept;
  switch (info.type) {
    case NiftiType::u8: return convert<std::uint8_t>(from, swap, a, b, to);
    case NiftiType::i8: return convert<std::int8_t>(from, swap, a, b, to);
    case NiftiType::i16: return convert<std::int16_t>(from, swap, a, b, to);
    case NiftiType::u16: return convert<std::uint16_t>(from, swap, a, b, to);
    case NiftiType::i32: return convert<std::int32_t>(from, swap, a, b, to);
    case NiftiType::u32: return convert<std::uint32_t>(from, swap, a, b, to);
    case NiftiType::i64: return convert<std::int64_t>(from, swap, a, b, to);
    case NiftiType::u64: return convert<std::uint64_t>(from, swap, a, b, to);
    case NiftiType::f32: return convert<float>(from, swap, a, b, to);
    case NiftiType::f64: return convert<double>(from, swap, a, b, to);
  }
}

std::uint64_t largest_result(const NiftiReadOptions& options, std::uint64_t size_on_disk) {
  if (options.max_bytes > 0) return options.max_bytes;
  constexpr std::uint64_t kAlways = std::uint64_t{512} << 20, kExpansion = 64;
  const std::uint64_t memory = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                               static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(std::max(kAlways, size_on_disk * kExpansion), memory / 4 * 3);
}

// Fills a tensor that is first as large as the file's size makes credible, and grows as the stream
// proves to hold more.
Tensor read_voxels(InputFile& file, const NiftiInfo& info, const Shape& shape) {
  const auto wanted = static_cast<std::uint64_t>(shape.count());
  const std::size_t stored = size_of(info.type);
  const auto room_for = [&](std::uint64_t values) {
    return values < wanted ? Tensor({static_cast<std::int64_t>(values)}, DType::f32)
                           : Tensor(shape, DType::f32);
  };
  constexpr std::uint64_t kFirst = 1 << 20, kGrowth = 4;  // in values
  // A plain file's length was compared with the header before.
  std::uint64_t room =
      file.gzip() ? std::min(wanted, std::max(kFirst, 2 * file.size_on_disk())) : wanted;
  Tensor tensor = room_for(room);

  const bool swap = info.big_endian != (std::endian::native == std::endian::big);
  constexpr std::size_t kBlock = 1 << 16;
  std::vector<std::byte> block(kBlock * stored);
  for (std::uint64_t done = 0; done < wanted;) {
    if (done == room) {
      room = std::min(wanted, room * kGrowth);
      Tensor larger = room_for(room);
      std::copy_n(tensor.values<float>().data(), done, larger.values<float>().data());
      tensor = std::move(larger);
    }
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, room - done));
    file.read({block.data(), n * stored}, "voxels its header promises");
    convert(info, swap, block.data(), tensor.values<float>().subspan(done, n));
    done += n;
  }
  return tensor;
}

}  // namespace

bool is_nifti_name(const std::string& path) {
  std::string_view name = path;
  if (ends_in(name, ".gz")) name.remove_suffix(3);
  return ends_in(name, ".nii") || ends_in(name, ".hdr") || ends_in(name, ".img");
}

std::string describe(const NiftiInfo& info) {
  return text("NIfTI-", info.version, info.pair ? " pair, " : ", ", name_of(info.type),
              info.big_endian ? ", big-endian" : "", info.gzip ? ", gzip" : "");
}

NiftiInfo read_nifti_info(const std::string& path) {
  InputFile file(header_path(path));
  NiftiInfo info = parse_nifti_header(file);
  if (!info.pair && !file.gzip() && file.size_on_disk() < voxels_end(info))
    info.notes.push_back(text("the file is truncated: it has ", file.size_on_disk(), " of ",
                              voxels_end(info), " bytes"));
  return info;
}

Volume read_nifti(const std::string& path, const NiftiReadOptions& options) {
  const std::string header = header_path(path);
  std::optional<InputFile> file(std::in_place, header);
  NiftiInfo info = parse_nifti_header(*file);
  std::uint64_t position = info.version == 1 ? 348 : 540;
  if (info.pair) {
    const std::string voxels = other_half(header, ".img");
    if (voxels.empty())
      fail(ErrorKind::input, header,
           ": the voxel file (.img) that belongs to it is missing beside it");
    file.emplace(voxels);
    position = 0;
  }

  ScanGeometry& g = info.geometry;
  require(options.first_time >= 0 && options.first_time < g.times, path, ": volume ",
          options.first_time, " was asked for, it has ", g.times);
  const std::int64_t times = options.times < 0 ? g.times - options.first_time : options.times;
  require(times >= 1 && times <= g.times - options.first_time, path, ": volumes ",
          options.first_time, " to ", options.first_time + times - 1, " were asked for, it has ",
          g.times);

  const std::uint64_t volume = volume_bytes(info);
  if (!file->gzip() && file->size_on_disk() < voxels_end(info))
    fail(ErrorKind::input, file->path(), ": its header promises ", voxels_end(info),
         " bytes, the file has ", file->size_on_disk(), "; it is truncated, get it anew");
  const std::uint64_t result =
      volume / size_of(info.type) * static_cast<std::uint64_t>(times) * sizeof(float);
  const std::uint64_t limit = largest_result(options, file->size_on_disk());
  if (result > limit)
    fail(ErrorKind::input, path, ": its header promises ", result >> 20, " MiB of values, at most ",
         limit >> 20,
         " MiB are read from a file of this size; read fewer volumes of it, or it is damaged");

  const std::uint64_t begin = static_cast<std::uint64_t>(info.data_offset) +
                              volume * static_cast<std::uint64_t>(options.first_time);
  file->skip(begin - position);
  Volume out;
  out.data = read_voxels(*file, info, {times, g.sizes[2], g.sizes[1], g.sizes[0]});
  constexpr std::uint64_t kTail = 1 << 20;
  if (options.first_time + times == g.times) file->verify_end(kTail);

  g.times = times;
  info.gzip = file->gzip();
  out.stored = describe(info);
  out.notes = std::move(info.notes);
  out.geometry = std::move(g);
  const auto values = std::as_const(out.data).values<float>();
  const auto odd = std::count_if(values.begin(), values.end(),
                                 [](float value) { return !std::isfinite(value); });
  if (odd > 0) out.notes.push_back(text(odd, " voxels are not finite numbers"));
  return out;
}

}  // namespace ratnet::inline v1
