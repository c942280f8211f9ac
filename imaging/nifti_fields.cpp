#include "nifti_fields.h"

#include <algorithm>
#include <cstring>

namespace ratnet::inline v1 {
namespace {

class Bytes {
 public:
  Bytes(std::span<const std::byte> bytes, bool swap) : bytes_(bytes), swap_(swap) {}

  template <class T>
  T at(std::size_t offset) const {
    std::byte raw[sizeof(T)];
    std::memcpy(raw, bytes_.data() + offset, sizeof(T));
    if (swap_) std::reverse(raw, raw + sizeof(T));
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool swap_;
};

// Both versions hold the same fields, at other places and in wider types.
template <class Real, class Size, class Code>
NiftiFields fields_at(const Bytes& bytes, std::size_t dim, std::size_t pixdim, std::size_t slope,
                      std::size_t qform_code, std::size_t quaternion, std::size_t srow) {
  NiftiFields f{};
  for (std::size_t i = 0; i < 8; ++i) {
    f.dim[i] = bytes.at<Size>(dim + i * sizeof(Size));
    f.pixdim[i] = bytes.at<Real>(pixdim + i * sizeof(Real));
  }
  f.slope = bytes.at<Real>(slope);
  f.intercept = bytes.at<Real>(slope + sizeof(Real));
  f.qform_code = bytes.at<Code>(qform_code);
  f.sform_code = bytes.at<Code>(qform_code + sizeof(Code));
  for (std::size_t i = 0; i < 3; ++i) {
    f.quaternion[i] = bytes.at<Real>(quaternion + i * sizeof(Real));
    f.qoffset[i] = bytes.at<Real>(quaternion + (3 + i) * sizeof(Real));
    for (std::size_t j = 0; j < 4; ++j)
      f.srow[i][j] = bytes.at<Real>(srow + (4 * i + j) * sizeof(Real));
  }
  return f;
}

}  // namespace

NiftiFields nifti1_fields(std::span<const std::byte, kNifti1Size> header, bool swap) {
  const Bytes bytes(header, swap);
  NiftiFields f = fields_at<float, std::int16_t, std::int16_t>(bytes, 40, 76, 112, 252, 256, 280);
  f.datatype = bytes.at<std::int16_t>(70);
  f.offset = bytes.at<float>(108);
  f.units = bytes.at<std::uint8_t>(123);
  f.dim_info = bytes.at<std::uint8_t>(39);
  return f;
}

NiftiFields nifti2_fields(std::span<const std::byte, kNifti2Size> header, bool swap) {
  const Bytes bytes(header, swap);
  NiftiFields f = fields_at<double, std::int64_t, std::int32_t>(bytes, 16, 104, 176, 344, 352, 400);
  f.datatype = bytes.at<std::int16_t>(12);
  f.offset = static_cast<double>(bytes.at<std::int64_t>(168));
  f.units = bytes.at<std::int32_t>(500);
  f.dim_info = bytes.at<std::uint8_t>(524);
  return f;
}

}  // namespace ratnet::inline v1
