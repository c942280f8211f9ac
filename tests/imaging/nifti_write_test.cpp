// Writing NIfTI: what is written comes back, byte for byte the same each time.
#include <cmath>
#include <filesystem>

#include "../../core/random.h"
#include "../../imaging/nifti.h"
#include "../../imaging/nifti_affine.h"
#include "../catch.h"
#include "nifti_maker.h"

using namespace ratnet;

namespace {

ScanGeometry small_geometry() {
  ScanGeometry g;
  g.sizes = {4, 3, 2};
  g.times = 3;
  g.affine = {{{0, 0.25, 0, -5}, {0, 0, -1, 7}, {0.5, 0, 0, 9}, {0, 0, 0, 1}}};
  g.spacing = spacing_of(g.affine);
  g.orientation = orientation_of(g.affine);
  g.orientation_known = true;
  g.repetition_time = 2.5;
  return g;
}

}  // namespace

TEST_CASE("written scans come back with values, affine and repetition time") {
  const TemporaryFolder folder;
  const ScanGeometry g = small_geometry();
  Random random(1);
  Tensor f32({3, 2, 3, 4}, DType::f32), u8(f32.shape(), DType::u8), i16(f32.shape(), DType::i16);
  for (float& v : f32.values<float>()) v = static_cast<float>(random.normal());
  for (auto& v : u8.values<std::uint8_t>()) v = static_cast<std::uint8_t>(random.integer(256));
  for (auto& v : i16.values<std::int16_t>())
    v = static_cast<std::int16_t>(random.integer(65536) - 32768);
  for (const char* name : {"a.nii", "a.nii.gz"}) {
    const std::string path = folder / name;
    for (const Tensor* data : {&f32, &u8, &i16}) {
      write_nifti(path, *data, g);
      const std::string once = slurp(path);
      write_nifti(path, *data, g);
      CHECK(slurp(path) == once);

      const NiftiInfo info = read_nifti_info(path);
      CHECK(name_of(info.type) == name_of(data->dtype()));
      const Volume back = read_nifti(path);
      CHECK(back.geometry.affine == g.affine);
      CHECK(back.geometry.spacing == g.spacing);
      CHECK(back.geometry.orientation == "SRP");
      CHECK(back.geometry.repetition_time == g.repetition_time);
      CHECK(back.notes.empty());
      REQUIRE(back.data.shape() == data->shape());
      const auto values = back.data.values<float>();
      for (std::size_t i = 0; i < values.size(); ++i) {
        const float expected = data == &f32  ? f32.values<float>()[i]
                               : data == &u8 ? u8.values<std::uint8_t>()[i]
                                             : i16.values<std::int16_t>()[i];
        CHECK(values[i] == expected);
      }
    }
  }
  const std::string gz = slurp(folder / "a.nii.gz");
  CHECK(gz.substr(4, 4) == std::string(4, '\0'));  // gzip's time
  CHECK(std::distance(std::filesystem::directory_iterator(folder / ""), {}) == 2);
}

TEST_CASE("a volume that was read can be written") {
  const TemporaryFolder folder;
  MadeNifti made;
  made.sizes = {3, 4, 5};
  spill(folder / "a.nii", made.file());
  const Volume volume = read_nifti(folder / "a.nii");
  write_nifti(folder / "b.nii.gz", volume);
  const Volume back = read_nifti(folder / "b.nii.gz");
  CHECK_FALSE(back.geometry.orientation_known);
  CHECK_FALSE(back.geometry.repetition_time);
  CHECK(back.data.values<float>()[59] == 60);
}

TEST_CASE("the qform written says the same as the sform") {
  const TemporaryFolder folder;
  Random random(2);
  for (int trial = 0; trial < 200; ++trial) {
    // A random rotation, mirrored half the time.
    double q[4], norm = 0;
    for (double& part : q) part = random.normal(), norm += part * part;
    if (trial % 4 == 0) q[0] = 0, norm = q[1] * q[1] + q[2] * q[2] + q[3] * q[3];  // half turns
    for (double& part : q) part /= std::sqrt(norm);
    const NiftiQform made{.b = q[1],
                          .c = q[2],
                          .d = q[3],
                          .handedness = trial % 2 ? -1.0 : 1.0,
                          .offset = {1, -2, 3}};
    const std::array<double, 3> spacing{0.5, 2, 1};
    const Affine affine = affine_from_qform(made, spacing);
    const auto found = qform_from_affine(affine);
    REQUIRE(found);
    const Affine again = affine_from_qform(*found, spacing);
    for (std::size_t row = 0; row < 4; ++row)
      for (std::size_t i = 0; i < 4; ++i)
        CHECK(again[row][i] == Approx(affine[row][i]).margin(1e-7));
  }
  Affine sheared = small_geometry().affine;
  sheared[1][0] = 0.3;
  CHECK_FALSE(qform_from_affine(sheared));
}

TEST_CASE("what cannot be written is refused") {
  const TemporaryFolder folder;
  const ScanGeometry g = small_geometry();
  const auto kind = [&](const std::string& path, const Tensor& data) {
    try {
      write_nifti(path, data, g);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  const Tensor good({3, 2, 3, 4}, DType::f32);
  CHECK(kind(folder / "a.img", good) == ErrorKind::usage);
  CHECK(kind(folder / "a.nii", Tensor({3, 2, 4, 3}, DType::f32)) == ErrorKind::usage);
  CHECK(kind(folder / "a.nii", Tensor({2, 3, 4}, DType::f32)) == ErrorKind::usage);
  CHECK(kind(folder / "a.nii", Tensor({3, 2, 3, 4}, DType::f64)) == ErrorKind::usage);
  CHECK(kind(folder / "no/such/a.nii", good) == ErrorKind::file_system);
  CHECK(std::filesystem::is_empty(folder / ""));
}
