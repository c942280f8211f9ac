// Makes NIfTI files for tests, written from the standard and sharing no line with the library.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <zlib.h>

#include "../network/temporary_folder.h"

using ratnet::testing::TemporaryFolder;

inline void spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

inline std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string gzipped(const std::string& bytes, int level = 6) {
  std::string out(bytes.size() + bytes.size() / 100 + 100, '\0');
  z_stream stream{};
  deflateInit2(&stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = uInt(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = uInt(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct MadeNifti {
  int version = 1;
  bool big_endian = false;
  bool pair = false;
  int datatype = 16;
  std::vector<std::int64_t> sizes{3, 4, 5};
  std::array<double, 8> pixdim{1, 1, 1, 1, 0, 0, 0, 0};
  double slope = 0, intercept = 0;
  int units = 2 | 8;
  int dim_info = 0;
  int qform_code = 0, sform_code = 0;
  std::array<double, 6> qform{};  // b, c, d, offset
  std::array<double, 12> sform{};
  std::string extension;       // between header and voxels
  double data_offset = -1;     // -1: where the voxels are
  std::vector<double> voxels;  // as stored; empty: 1, 2, 3, ... modulo 100

  std::size_t count() const {
    std::size_t n = 1;
    for (const auto size : sizes) n *= std::size_t(size);
    return n;
  }
  double voxel(std::size_t i) const { return voxels.empty() ? double(i % 100 + 1) : voxels[i]; }

  template <class T>
  void put(std::string& out, std::size_t at, T value) const {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    if (big_endian) std::reverse(raw, raw + sizeof(T));
    out.replace(at, sizeof(T), raw, sizeof(T));
  }

  template <class Real, class Size, class Code>
  void put_fields(std::string& h, std::size_t dim, std::size_t pix, std::size_t scale,
                  std::size_t codes, std::size_t quaternion, std::size_t rows) const {
    put(h, dim, Size(sizes.size()));
    for (std::size_t i = 0; i < 7; ++i)
      put(h, dim + (i + 1) * sizeof(Size), Size(i < sizes.size() ? sizes[i] : 1));
    for (std::size_t i = 0; i < 8; ++i) put(h, pix + i * sizeof(Real), Real(pixdim[i]));
    put(h, scale, Real(slope));
    put(h, scale + sizeof(Real), Real(intercept));
    put(h, codes, Code(qform_code));
    put(h, codes + sizeof(Code), Code(sform_code));
    for (std::size_t i = 0; i < 6; ++i) put(h, quaternion + i * sizeof(Real), Real(qform[i]));
    for (std::size_t i = 0; i < 12; ++i) put(h, rows + i * sizeof(Real), Real(sform[i]));
  }

  std::string header() const {
    std::string h(version == 1 ? 348 : 540, '\0');
    const double offset = data_offset >= 0 ? data_offset
                          : pair           ? 0
                                           : double(h.size() + 4 + extension.size());
    if (version == 1) {
      put<std::int32_t>(h, 0, 348);
      put_fields<float, std::int16_t, std::int16_t>(h, 40, 76, 112, 252, 256, 280);
      put(h, 39, std::uint8_t(dim_info));
      put(h, 70, std::int16_t(datatype));
      put(h, 108, float(offset));
      put(h, 123, std::uint8_t(units));
      h.replace(344, 4, pair ? "ni1" : "n+1", 4);
    } else {
      put<std::int32_t>(h, 0, 540);
      h.replace(4, 8, pair ? "ni2\0\r\n\x1a\n" : "n+2\0\r\n\x1a\n", 8);
      put_fields<double, std::int64_t, std::int32_t>(h, 16, 104, 176, 344, 352, 400);
      put(h, 524, std::uint8_t(dim_info));
      put(h, 12, std::int16_t(datatype));
      put(h, 168, std::int64_t(offset));
      put(h, 500, std::int32_t(units));
    }
    return h;
  }

  template <class T>
  std::string raw() const {
    std::string out(count() * sizeof(T), '\0');
    for (std::size_t i = 0; i < count(); ++i) put(out, i * sizeof(T), static_cast<T>(voxel(i)));
    return out;
  }

  std::string data() const {
    switch (datatype) {
      case 2: return raw<std::uint8_t>();
      case 4: return raw<std::int16_t>();
      case 8: return raw<std::int32_t>();
      case 16: return raw<float>();
      case 64: return raw<double>();
      case 256: return raw<std::int8_t>();
      case 512: return raw<std::uint16_t>();
      case 768: return raw<std::uint32_t>();
      case 1024: return raw<std::int64_t>();
      case 1280: return raw<std::uint64_t>();
      default: return std::string(count() * 16, '\0');
    }
  }

  std::string file() const { return header() + std::string(4, '\0') + extension + data(); }
};
