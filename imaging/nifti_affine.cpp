#include "nifti_affine.h"

#include <algorithm>
#include <cmath>

namespace ratnet::inline v1 {

Affine affine_from_qform(const NiftiQform& qform, const std::array<double, 3>& spacing) {
  double b = qform.b, c = qform.c, d = qform.d;
  double a = 1 - (b * b + c * c + d * d);
  if (a < 1e-7) {
    // Half a turn: rounding may leave the vector longer than 1.
    const double scale = 1 / std::sqrt(b * b + c * c + d * d);
    b *= scale, c *= scale, d *= scale;
    a = 0;
  } else {
    a = std::sqrt(a);
  }
  const double rotation[3][3] = {
      {a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
      {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
      {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c}};
  Affine affine{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t axis = 0; axis < 3; ++axis)
      affine[row][axis] =
          rotation[row][axis] * spacing[axis] * (axis == 2 ? qform.handedness : 1.0);
    affine[row][3] = qform.offset[row];
  }
  affine[3] = {0, 0, 0, 1};
  return affine;
}

std::optional<NiftiQform> qform_from_affine(const Affine& affine) {
  if (orientation_of(affine).empty()) return std::nullopt;
  const std::array<double, 3> spacing = spacing_of(affine);
  double r[3][3];
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t axis = 0; axis < 3; ++axis) r[row][axis] = affine[row][axis] / spacing[axis];
  for (std::size_t one = 0; one < 3; ++one) {
    const std::size_t two = (one + 1) % 3;
    const double cosine = r[0][one] * r[0][two] + r[1][one] * r[1][two] + r[2][one] * r[2][two];
    if (std::abs(cosine) > 1e-4) return std::nullopt;
  }

  NiftiQform qform;
  const double determinant = r[0][0] * (r[1][1] * r[2][2] - r[1][2] * r[2][1]) -
                             r[0][1] * (r[1][0] * r[2][2] - r[1][2] * r[2][0]) +
                             r[0][2] * (r[1][0] * r[2][1] - r[1][1] * r[2][0]);
  if (determinant < 0) {
    qform.handedness = -1;
    for (auto& row : r) row[2] = -row[2];
  }
  // The squares of the four parts from the trace; the largest is the safe one to divide by.
  const double squares[4] = {1 + r[0][0] + r[1][1] + r[2][2], 1 + r[0][0] - r[1][1] - r[2][2],
                             1 - r[0][0] + r[1][1] - r[2][2], 1 - r[0][0] - r[1][1] + r[2][2]};
  const auto largest = std::max_element(squares, squares + 4) - squares;
  const double s = 2 * std::sqrt(squares[largest]);
  double a = 0;
  switch (largest) {
    case 0:
      a = s / 4;
      qform.b = (r[2][1] - r[1][2]) / s;
      qform.c = (r[0][2] - r[2][0]) / s;
      qform.d = (r[1][0] - r[0][1]) / s;
      break;
    case 1:
      a = (r[2][1] - r[1][2]) / s;
      qform.b = s / 4;
      qform.c = (r[0][1] + r[1][0]) / s;
      qform.d = (r[0][2] + r[2][0]) / s;
      break;
    case 2:
      a = (r[0][2] - r[2][0]) / s;
      qform.b = (r[0][1] + r[1][0]) / s;
      qform.c = s / 4;
      qform.d = (r[1][2] + r[2][1]) / s;
      break;
    default:
      a = (r[1][0] - r[0][1]) / s;
      qform.b = (r[0][2] + r[2][0]) / s;
      qform.c = (r[1][2] + r[2][1]) / s;
      qform.d = s / 4;
  }
  // The file leaves the real part out and takes it as positive.
  if (a < 0) qform.b = -qform.b, qform.c = -qform.c, qform.d = -qform.d;
  qform.offset = {affine[0][3], affine[1][3], affine[2][3]};
  return qform;
}

}  // namespace ratnet::inline v1
