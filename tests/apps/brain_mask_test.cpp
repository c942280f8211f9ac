#include "../../apps/anomaly/brain_mask.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "../../apps/anomaly/axial_stack.h"
#include "../../apps/anomaly/prepare.h"
#include "../../imaging/nifti.h"
#include "../../imaging/resample.h"
#include "../catch.h"
#include "../data.h"
#include "head_stack.h"

using namespace ratnet;

namespace {

double dice(const Tensor& a, const Tensor& b) {
  const auto first = a.values<std::uint8_t>(), second = b.values<std::uint8_t>();
  double both = 0, sum = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    both += first[i] != 0 && second[i] != 0;
    sum += (first[i] != 0) + (second[i] != 0);
  }
  return 2 * both / sum;
}

bool empty(const Tensor& mask) {
  return std::ranges::all_of(mask.values<std::uint8_t>(), [](int x) { return x == 0; });
}

Tensor filled(std::int64_t slices, const std::function<double(std::int64_t)>& value) {
  Tensor images({slices, kJudgedSize, kJudgedSize}, DType::f32);
  const auto values = images.values<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(value(static_cast<std::int64_t>(i) / (128 * 128)));
  return images;
}

}  // namespace

TEST_CASE("the brain of a head is found in thick and thin slices, with a neck below it") {
  for (const auto& [slices, thickness] : {std::pair{36, 5.0}, {56, 3.5}, {115, 2.0}}) {
    const HeadStack head = head_stack(slices, thickness);
    const Tensor mask = brain_mask(head.images);
    INFO(slices << " slices");
    CHECK(dice(mask, head.brain) > 0.95);
  }
}

TEST_CASE("a brain mask does not depend on the unit of brightness, or on a bright pixel") {
  const HeadStack head = head_stack(30, 6);
  const Tensor mask = brain_mask(head.images);
  Tensor other = head.images.clone();
  for (float& value : other.values<float>()) value *= 1 / 1024.0f;
  CHECK(dice(brain_mask(other), mask) == 1);
  other = head.images.clone();
  other.values<float>()[0] = 1e9f;
  CHECK(dice(brain_mask(other), mask) > 0.999);
  // Scaled to mean 0, as some tools leave it.
  for (float& value : (other = head.images.clone()).values<float>()) value -= 60;
  CHECK(dice(brain_mask(other), mask) > 0.98);
}

TEST_CASE("one slice is a stack") {
  const HeadStack head = head_stack(36, 5);
  Tensor one({1, kJudgedSize, kJudgedSize}, DType::f32), truth(one.shape(), DType::u8);
  std::ranges::copy(head.images.values<float>().subspan(18 * 128 * 128, 128 * 128),
                    one.values<float>().begin());
  std::ranges::copy(head.brain.values<std::uint8_t>().subspan(18 * 128 * 128, 128 * 128),
                    truth.values<std::uint8_t>().begin());
  CHECK(dice(brain_mask(one), truth) > 0.95);
}

TEST_CASE("where there is no head there is no brain") {
  for (const std::int64_t slices : {1, 2, 3, 17}) {
    INFO(slices << " slices");
    CHECK(empty(brain_mask(filled(slices, [](std::int64_t) { return 0; }))));
    CHECK(empty(brain_mask(filled(slices, [](std::int64_t) { return 7.5; }))));
    CHECK(empty(brain_mask(filled(slices, [](std::int64_t s) { return s * s; }))));
    CHECK(empty(brain_mask(filled(slices, [](std::int64_t s) { return s % 2 ? 1e30 : -1e30; }))));
    Random random(9, static_cast<std::uint64_t>(slices));
    CHECK(empty(brain_mask(filled(slices, [&](std::int64_t) { return random.uniform(); }))));
    CHECK(empty(brain_mask(filled(slices, [&](std::int64_t) { return random.normal(); }))));
    CHECK(empty(brain_mask(filled(slices, [&](std::int64_t) {
      const double imaginary = random.normal(), real = random.normal();
      return std::hypot(real, imaginary);
    }))));
    CHECK(empty(brain_mask(filled(slices, [&](std::int64_t) { return random.uniform() < 0.01; }))));
  }
  Tensor broken = filled(3, [](std::int64_t) { return 1; });
  broken.values<float>()[128 * 128 + 5] = std::numeric_limits<float>::quiet_NaN();
  try {
    brain_mask(broken);
    FAIL("took a value that is not finite");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()).find("slice 1") != std::string::npos);
  }
  CHECK_THROWS_AS(brain_mask(Tensor({1, 64, 64}, DType::f32)), Error);
  CHECK_THROWS_AS(brain_mask(filled(1, [](std::int64_t) { return 0; }), {.deep = -1}), Error);
}

TEST_CASE("the brain mask agrees with label maps of real T1 scans") {
  const std::string folder = real_data("healthy");
  if (folder.empty()) {
    WARN("skipped: no healthy scans");
    return;
  }
  std::vector<std::filesystem::path> scans;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/ixi_t1"))
    scans.push_back(entry.path());
  std::ranges::sort(scans);
  double sum = 0;
  constexpr std::size_t kScans = 3;
  for (std::size_t n = 0; n < kScans; ++n) {
    const std::string name = scans[n].filename().string();
    const AxialStack scan = axial_stack(read_nifti(scans[n].string()));
    const AxialStack labels = axial_stack(read_nifti(
        folder + "/ixi_dlmuse/" + name.substr(0, name.find("_T1")) + "_T1_DLMUSE.nii.gz"));
    Tensor truth(labels.images.shape(), DType::u8);
    std::ranges::transform(labels.images.values<float>(), truth.values<std::uint8_t>().begin(),
                           [](float label) { return label > 0; });
    const PreparedSubject subject =
        prepare_subject({.name = name,
                         .images = scan.images,
                         .row_spacing = scan.layout.grid.row_spacing,
                         .column_spacing = scan.layout.grid.column_spacing,
                         .masks = truth});
    const double agreement = dice(subject.brain, subject.lesions);
    INFO(name << " " << agreement);
    CHECK(agreement > 0.85);
    sum += agreement;
  }
  CHECK(sum / kScans > 0.88);
}
