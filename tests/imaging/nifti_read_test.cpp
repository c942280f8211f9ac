// Reading NIfTI: every type, order, version and packing against files made by hand.
#include "../../imaging/nifti.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include "../catch.h"
#include "nifti_maker.h"

using namespace ratnet;

namespace {

// Each type with values that only it holds.
struct TypeCase {
  int code;
  const char* name;
  std::vector<double> voxels;
};

std::vector<TypeCase> type_cases() {
  return {{2, "u8", {0, 1, 127, 128, 254, 255}},
          {256, "i8", {-128, -1, 0, 1, 100, 127}},
          {4, "i16", {-32768, -256, -1, 0, 255, 32767}},
          {512, "u16", {0, 255, 256, 32767, 32768, 65535}},
          {8, "i32", {-2147483648.0, -65536, -1, 0, 65535, 2147483647}},
          {768, "u32", {0, 65535, 65536, 2147483647, 2147483648.0, 4294967295.0}},
          {1024, "i64", {-9007199254740992.0, -4294967296.0, -1, 0, 4294967296.0, 9e15}},
          {1280, "u64", {0, 1, 4294967296.0, 9e15, 9.3e18, 1.8e19}},
          {16, "f32", {-1.5, 0, 0.1f, 1e-30f, 1e30f, 3}},
          {64, "f64", {-1.5, 0, 0.1, 1e-30, 1e30, 3}}};
}

bool throws_input(const std::string& path) {
  try {
    read_nifti(path);
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.kind() == ErrorKind::input;
  }
  return false;
}

}  // namespace

TEST_CASE("every type, byte order, scaling, packing and version is read") {
  const TemporaryFolder folder;
  for (const TypeCase& type : type_cases())
    for (const int version : {1, 2})
      for (const bool big_endian : {false, true})
        for (const bool scaled : {false, true})
          for (const bool gzip : {false, true})
            for (const bool pair : {false, true}) {
              INFO(type.name << " version " << version << " big " << big_endian << " scaled "
                             << scaled << " gzip " << gzip << " pair " << pair);
              MadeNifti made;
              made.version = version;
              made.big_endian = big_endian;
              made.pair = pair;
              made.datatype = type.code;
              made.sizes = {1, 2, 3};
              made.voxels = type.voxels;
              if (scaled) made.slope = 0.5, made.intercept = -3;
              const auto packed = [&](const std::string& bytes) {
                return gzip ? gzipped(bytes) : bytes;
              };
              const std::string end = gzip ? ".gz" : "";
              const std::string path = folder / ((pair ? "a.hdr" : "a.nii") + end);
              if (pair) {
                spill(path, packed(made.header()));
                spill(folder / ("a.img" + end), packed(made.data()));
              } else {
                spill(path, packed(made.file()));
              }
              const Volume volume = read_nifti(path);
              REQUIRE(volume.data.shape() == Shape{1, 3, 2, 1});
              const auto values = volume.data.values<float>();
              for (std::size_t i = 0; i < 6; ++i) {
                const double stored = type.code == 16 ? float(type.voxels[i]) : type.voxels[i];
                CHECK(values[i] == float(scaled ? 0.5 * stored - 3 : stored));
              }
              const NiftiInfo info = read_nifti_info(path);
              CHECK(name_of(info.type) == type.name);
              CHECK(info.version == version);
              CHECK(info.big_endian == big_endian);
              CHECK(info.gzip == gzip);
              CHECK(info.pair == pair);
              CHECK(volume.stored == describe(info));
            }
}

TEST_CASE("a pair opens by either name, and a missing half is named") {
  const TemporaryFolder folder;
  MadeNifti made;
  made.pair = true;
  spill(folder / "a.hdr", made.header());
  CHECK(throws_input(folder / "a.hdr"));
  CHECK(read_nifti_info(folder / "a.hdr").pair);
  spill(folder / "a.img.gz", gzipped(made.data()));
  CHECK(read_nifti(folder / "a.img.gz").data.count() == 60);
  CHECK(read_nifti(folder / "a.hdr").data.values<float>()[59] == 60);
  spill(folder / "b.img", made.data());
  CHECK(throws_input(folder / "b.img"));
}

TEST_CASE("extensions are skipped") {
  const TemporaryFolder folder;
  MadeNifti made;
  made.extension = std::string(1024, 'x');
  for (const bool gzip : {false, true}) {
    const std::string path = folder / "a.nii";
    spill(path, gzip ? gzipped(made.file()) : made.file());
    CHECK(read_nifti(path).data.values<float>()[0] == 1);
    CHECK(read_nifti_info(path).data_offset == 1376);
  }
}

TEST_CASE("a slope of zero or no number means no scaling") {
  const TemporaryFolder folder;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  MadeNifti made;
  for (const double slope : {0.0, nan, double(INFINITY)}) {
    made.slope = slope;
    made.intercept = 5;
    spill(folder / "a.nii", made.file());
    CHECK(read_nifti(folder / "a.nii").data.values<float>()[1] == 2);
  }
  made.slope = 2;
  made.intercept = nan;
  spill(folder / "a.nii", made.file());
  CHECK(throws_input(folder / "a.nii"));
}

TEST_CASE("values beyond float become infinite and are noted") {
  const TemporaryFolder folder;
  MadeNifti made;
  made.datatype = 64;
  made.sizes = {4};
  made.voxels = {1e300, -1e300, std::numeric_limits<double>::quiet_NaN(), 1};
  spill(folder / "a.nii", made.file());
  const Volume volume = read_nifti(folder / "a.nii");
  const auto values = volume.data.values<float>();
  CHECK(values[0] == INFINITY);
  CHECK(values[1] == -INFINITY);
  CHECK(std::isnan(values[2]));
  REQUIRE(volume.notes.size() == 2);
  CHECK(volume.notes[1] == "3 voxels are not finite numbers");
}

TEST_CASE("sform comes before qform before voxel sizes") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.nii";
  MadeNifti made;
  made.pixdim = {-1, 2, 3, 4, 0, 0, 0, 0};
  made.qform = {0, 0, 1, 10, 20, 30};  // half a turn about z, third axis mirrored
  made.sform = {0, 0, 5, 1, 6, 0, 0, 2, 0, 7, 0, 3};
  const auto info = [&]() {
    spill(path, made.file());
    return read_nifti_info(path);
  };

  made.qform_code = made.sform_code = 1;
  CHECK(info().affine_source == "sform");
  CHECK(info().geometry.orientation == "ASR");
  CHECK(info().geometry.spacing == std::array<double, 3>{6, 7, 5});
  CHECK(info().geometry.affine[0] == std::array<double, 4>{0, 0, 5, 1});

  made.sform_code = 0;
  CHECK(info().affine_source == "qform");
  CHECK(info().geometry.orientation == "LPI");
  const Affine expected{{{-2, 0, 0, 10}, {0, -3, 0, 20}, {0, 0, -4, 30}, {0, 0, 0, 1}}};
  CHECK(info().geometry.affine == expected);

  made.qform_code = 0;
  CHECK(info().affine_source == "voxel sizes only");
  CHECK_FALSE(info().geometry.orientation_known);
  CHECK(info().geometry.spacing == std::array<double, 3>{2, 3, 4});

  // An affine that maps to no volume is passed over.
  made.qform_code = made.sform_code = 1;
  made.sform = {};
  CHECK(info().affine_source == "qform");
  made.qform[0] = std::numeric_limits<double>::quiet_NaN();
  CHECK(info().affine_source == "voxel sizes only");
  CHECK(info().notes.size() == 3);
}

TEST_CASE("units of length and time, and times that cannot be") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.nii";
  MadeNifti made;
  made.datatype = 2;
  made.sizes = {2, 2, 2, 3};
  made.sform_code = 1;
  made.sform = {2, 0, 0, 1, 0, 2, 0, 1, 0, 0, 2, 1};
  const auto geometry = [&](int units, double tr) {
    made.units = units;
    made.pixdim[4] = tr;
    spill(path, made.file());
    return read_nifti_info(path).geometry;
  };
  CHECK(geometry(2 | 8, 2.5).repetition_time.value() == 2.5);
  CHECK(geometry(2 | 16, 2500).repetition_time.value() == 2.5);
  CHECK(geometry(2 | 24, 2.5e6).repetition_time.value() == 2.5);
  for (const double wrong : {2500.0, 0.0, -1.0, double(NAN), double(INFINITY)}) {
    CHECK_FALSE(geometry(2 | 8, wrong).repetition_time);
    CHECK(read_nifti_info(path).notes.size() == 1);
  }
  CHECK_FALSE(geometry(2, 2.5).repetition_time);
  CHECK_FALSE(geometry(2 | 32, 2.5).repetition_time);
  CHECK(geometry(1 | 8, 2).spacing[0] == 2000);
  CHECK(geometry(3 | 8, 2).spacing[0] == Approx(0.002));
  CHECK(geometry(3 | 8, 2).affine[0][3] == Approx(0.001));
}

TEST_CASE("some volumes of a run can be read alone") {
  const TemporaryFolder folder;
  MadeNifti made;
  made.sizes = {3, 2, 2, 7};
  for (const bool gzip : {false, true}) {
    spill(folder / "a.nii", gzip ? gzipped(made.file()) : made.file());
    const Volume part = read_nifti(folder / "a.nii", {.first_time = 2, .times = 3});
    CHECK(part.data.shape() == Shape{3, 2, 2, 3});
    CHECK(part.geometry.times == 3);
    CHECK(part.data.values<float>()[0] == 25);
    CHECK(part.data.values<float>()[35] == 60);
    CHECK(read_nifti(folder / "a.nii", {.first_time = 6}).data.values<float>()[0] == 73);
    CHECK_THROWS_AS(read_nifti(folder / "a.nii", {.first_time = 7}), Error);
    CHECK_THROWS_AS(read_nifti(folder / "a.nii", {.first_time = 5, .times = 3}), Error);
  }
}

TEST_CASE("a large gzip file grows into its tensor") {
  const TemporaryFolder folder;
  MadeNifti made;
  made.datatype = 2;
  made.sizes = {512, 512, 80};  // far more than so small a file makes credible
  const std::string path = folder / "a.nii.gz";
  spill(path, gzipped(made.file(), 1));
  const Volume volume = read_nifti(path);
  const auto values = volume.data.values<float>();
  bool equal = true;
  for (std::size_t i = 0; i < values.size(); ++i) equal = equal && values[i] == float(i % 100 + 1);
  CHECK(equal);
}
