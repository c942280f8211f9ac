#include "principal_components.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "subject_slices.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::int64_t kSize = 64, kPixels = kSize * kSize;
constexpr std::size_t kMostComponents = 16, kMostSlices = 600;

using Slices = Eigen::Matrix<double, Eigen::Dynamic, kPixels, Eigen::RowMajor>;
using Image = Eigen::Matrix<double, 1, Eigen::Dynamic>;
using ImageMap = Eigen::Map<const Eigen::Matrix<float, 1, Eigen::Dynamic>>;

Image image_of(const Tensor& slices, std::int64_t s) {
  return ImageMap(slice_of<float>(slices, s).data(), kPixels).cast<double>();
}

void store(const Image& image, std::span<float> to) {
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = static_cast<float>(image[static_cast<Eigen::Index>(i)]);
}

}  // namespace

PrincipalComponents learn_principal_components(std::span<const PreparedSubject* const> subjects) {
  const std::vector<HealthySlice> healthy = healthy_slices("principal components", subjects);
  const std::size_t n = std::min(healthy.size(), kMostSlices);
  Slices slices(static_cast<Eigen::Index>(n), kPixels);
  Tensor images;
  std::size_t last = subjects.size();
  for (std::size_t i = 0; i < n; ++i) {
    const HealthySlice& slice = healthy[i * healthy.size() / n];
    if (slice.subject != last) images = resample_slices(subjects[slice.subject]->images, kSize);
    last = slice.subject;
    slices.row(static_cast<Eigen::Index>(i)) = image_of(images, slice.slice);
  }
  const Image mean = slices.colwise().mean();
  slices.rowwise() -= mean;

  // There are fewer slices than pixels: the smaller of the two matrices has the same eigenvalues
  // (Turk and Pentland, 1991).
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(
      Eigen::MatrixXd(slices * slices.transpose()));
  const Eigen::VectorXd& values = solver.eigenvalues();  // ascending
  const auto largest = static_cast<Eigen::Index>(n) - 1;
  std::int64_t kept = 0;
  while (kept < static_cast<std::int64_t>(std::min(n, kMostComponents)) &&
         values[largest - kept] > 1e-9 * std::max(values[largest], 1e-9))
    ++kept;

  PrincipalComponents learnt{Tensor({1, kSize, kSize}, DType::f32),
                             Tensor({kept, kSize, kSize}, DType::f32)};
  store(mean, learnt.mean.values<float>());
  for (std::int64_t k = 0; k < kept; ++k)
    store(solver.eigenvectors().col(largest - k).transpose() * slices /
              std::sqrt(values[largest - k]),
          slice_of<float>(learnt.components, k));
  return learnt;
}

Tensor principal_component_maps(const PrincipalComponents& learnt, const PreparedSubject& subject,
                                Residual residual) {
  check_subject("principal components", subject);
  const Shape& shape = learnt.components.shape();
  require(learnt.mean.shape() == Shape{1, kSize, kSize} && shape.rank() == 3 &&
              shape == learnt.mean.shape().with_first(shape[0]),
          "principal components: a mean of ", learnt.mean.shape(), " and components of ", shape,
          ", expected ", kSize, " x ", kSize, " pixels");
  const Tensor slices = resample_slices(subject.images, kSize);
  const Image mean = image_of(learnt.mean, 0);
  Tensor residuals(slices.shape(), DType::f32);
  std::vector<float> projected(kPixels);
  for (std::int64_t s = 0; s < subject.slices(); ++s) {
    if (!subject.judged[static_cast<std::size_t>(s)]) continue;
    const Image away = image_of(slices, s) - mean;
    Image projection = mean;
    for (std::int64_t k = 0; k < shape[0]; ++k) {
      const Image component = image_of(learnt.components, k);
      projection += away.dot(component) * component;
    }
    store(projection, projected);
    residual_map(residual, slice_of<float>(slices, s), projected, kSize, kSize,
                 slice_of<float>(residuals, s));
  }
  return resample_slices(residuals, kJudgedSize);
}

}  // namespace ratnet::inline v1
