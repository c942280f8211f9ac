// Files that are truncated, damaged, lying or something else: a result or one clear line.
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

#include "../../core/random.h"
#include "../../imaging/nifti.h"
#include "../catch.h"
#include "../data.h"
#include "nifti_maker.h"

using namespace ratnet;

namespace {

// "" when the file is read, else the message; anything but one line of kind `input` fails the test.
std::string refusal(const std::string& path, bool header_only = false) {
  try {
    if (header_only)
      read_nifti_info(path);
    else
      read_nifti(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    CHECK(error.kind() == ErrorKind::input);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.find(path.substr(0, path.rfind('.'))) == 0);
    return message;
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("headers that make no sense are refused with their reason") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.nii";
  const auto message = [&](const std::function<void(MadeNifti&)>& change) {
    std::string both;
    for (const int version : {1, 2}) {
      MadeNifti made;
      made.version = version;
      change(made);
      spill(path, made.file());
      const std::string one = refusal(path);
      CHECK(!one.empty());
      both += one;
    }
    return both;
  };
  CHECK(contains(message([](MadeNifti& m) { m.datatype = 32; }), "complex"));
  CHECK(contains(message([](MadeNifti& m) { m.datatype = 1792; }), "complex"));
  CHECK(contains(message([](MadeNifti& m) { m.datatype = 128; }), "colours"));
  CHECK(contains(message([](MadeNifti& m) { m.datatype = 2304; }), "colours"));
  CHECK(contains(message([](MadeNifti& m) { m.datatype = 1536; }), "128-bit"));
  CHECK(contains(message([](MadeNifti& m) { m.datatype = 3; }), "unknown voxel type"));
  CHECK(contains(message([](MadeNifti& m) { m.sizes = {2, 2, 2, 1, 3}; }), "four dimensions"));
  CHECK(contains(message([](MadeNifti& m) { m.sizes = {0, 4, 5}; }), "size 0"));
  CHECK(contains(message([](MadeNifti& m) { m.data_offset = 100; }), "byte 100"));
  CHECK(contains(message([](MadeNifti& m) { m.data_offset = 4e9; }), "which cannot be"));
}

TEST_CASE("sizes are believed only as far as the file backs them") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.nii";
  struct Lie {
    int version;
    std::vector<std::int64_t> sizes;
  };
  const Lie lies[] = {{1, {32767, 32767, 32767, 32767}},
                      {1, {1000, 1000, 1000}},
                      {1, {500, 500, 400}},  // within the limit, yet not there
                      {1, {4, 4, 4}},
                      {2, {std::int64_t{1} << 62, 4, 4}},
                      {2, {std::int64_t{1} << 31, 1 << 20, 1}},
                      {2, {-1, 4, 4}}};
  for (const Lie& lie : lies)
    for (const bool gzip : {false, true}) {
      MadeNifti made;
      made.version = lie.version;
      std::string bytes = made.file();
      MadeNifti claim = made;
      claim.sizes = lie.sizes;
      const std::string header = claim.header();
      bytes.replace(0, header.size(), header);
      spill(path, gzip ? gzipped(bytes) : bytes);
      const std::string message = refusal(path);
      INFO(message);
      CHECK(!message.empty());
    }
}

TEST_CASE("a gzip bomb stops at the limit") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.nii.gz";
  MadeNifti made;
  made.datatype = 2;
  made.sizes = {1000, 1000, 135};
  std::string bytes = made.header() + std::string(4, '\0');
  bytes.resize(bytes.size() + made.count());
  spill(path, gzipped(bytes));
  CHECK(contains(refusal(path), "at most 512 MiB"));
  made.sizes = {1000, 10};
  spill(path, gzipped(made.file()));
  CHECK_THROWS_AS(read_nifti(path, {.max_bytes = 39999}), Error);
  CHECK(read_nifti(path, {.max_bytes = 40000}).data.count() == 10000);
}

TEST_CASE("truncated and damaged files are refused at every length") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.nii";
  MadeNifti made;
  made.sizes = {3, 3, 2};
  const std::string whole = made.file(), packed = gzipped(whole);
  for (std::size_t n = 0; n < whole.size(); ++n) {
    spill(path, whole.substr(0, n));
    CHECK(!refusal(path).empty());
    if (n >= 352) CHECK(contains(read_nifti_info(path).notes.back(), "truncated"));
  }
  for (std::size_t n = 0; n < packed.size(); ++n) {
    spill(path, packed.substr(0, n));
    CHECK(!refusal(path).empty());
  }
  // A wrong checksum: the voxels may be wrong.
  std::string wrong = packed;
  wrong[wrong.size() - 6] = static_cast<char>(wrong[wrong.size() - 6] + 1);
  spill(path, wrong);
  CHECK(contains(refusal(path), "damaged"));
}

TEST_CASE("what is no file and what is no NIfTI") {
  const TemporaryFolder folder;
  const auto kind = [](const std::string& path) {
    try {
      read_nifti(path);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  CHECK(kind(folder / "absent.nii") == ErrorKind::file_system);
  CHECK(kind(folder / "") == ErrorKind::input);
  REQUIRE(mkfifo((folder / "pipe.nii").c_str(), 0600) == 0);
  CHECK(kind(folder / "pipe.nii") == ErrorKind::input);

  const std::string path = folder / "a.nii";
  MadeNifti made;
  std::string analyze = made.file();
  analyze.replace(344, 4, 4, '\0');
  const std::pair<std::string, std::string> cases[] = {
      {analyze, "ANALYZE"},
      {std::string("CDF\x01") + std::string(400, 'x'), "MINC 1"},
      {"\x89HDF\r\n\x1a\n" + std::string(400, 'x'), "HDF5"},
      {"MATRIX72v" + std::string(400, 'x'), "ECAT"},
      {"NRRD0004\n" + std::string(400, 'x'), "NRRD"},
      {std::string(128, '\0') + "DICM" + std::string(400, 'x'), "DICOM"},
      {std::string(400, 'x'), "is not a NIfTI file"},
      {"", "is empty"},
      {"short", "too short"}};
  for (const auto& [bytes, part] : cases) {
    spill(path, bytes);
    CHECK(contains(refusal(path), part));
    if (bytes.empty()) continue;
    spill(path, gzipped(bytes));
    CHECK(contains(refusal(path), part));
  }
}

TEST_CASE("odd files of other projects' test suites") {
  const std::string folder = real_data("bad_input/nifti");
  if (folder.empty()) {
    WARN("skipped: no real data");
    return;
  }
  // What the reference reader opens and this library refuses, with the reason it must give.
  const std::pair<std::string, std::string> refused[] = {
      {"air.hdr.gz", ".img"},
      {"air2.hdr.gz", ".img"},
      {"nibabel_minc1-no-att.mnc", "MINC 1"},
      {"nibabel_row_major.dconn.nii", "dimension 5"},
      {"5D_small.nii", "dimension 5"},
      {"nibabel_test.mgz", "MGH"}};
  std::ifstream table(folder + "/reference_behaviour.csv");
  std::string line;
  std::getline(table, line);
  int files = 0;
  while (std::getline(table, line)) {
    const std::string name = line.substr(0, line.find(','));
    const bool reference_reads = contains(line, "OK ");
    INFO(line);
    const std::string message = refusal(folder + "/" + name);
    INFO(message);
    const auto* expected = std::find_if(std::begin(refused), std::end(refused),
                                        [&](const auto& entry) { return entry.first == name; });
    if (expected != std::end(refused))
      CHECK(contains(message, expected->second));
    else
      CHECK(message.empty() == reference_reads);
    ++files;
  }
  CHECK(files == 12);
  // The header of a pair without its voxels still tells what it is.
  CHECK(read_nifti_info(folder + "/air2.hdr.gz").geometry.sizes ==
        std::array<std::int64_t, 3>{79, 67, 64});
}

TEST_CASE("mutated files end in a result or in one line") {
  const TemporaryFolder folder;
  const std::string path = folder / "a.nii";
  int read = 0, refused = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    Random random(7, static_cast<std::uint64_t>(trial));
    MadeNifti made;
    made.version = trial % 2 + 1;
    made.big_endian = random.chance(0.5);
    made.datatype = random.chance(0.5) ? 4 : 64;
    made.sizes = {5, 4, 3, 2};
    made.slope = random.chance(0.5) ? 2 : 0;
    made.sform_code = made.qform_code = 1;
    made.sform = {2, 0, 0, 1, 0, 2, 0, 1, 0, 0, 2, 1};
    std::string bytes = made.file();
    // Damage before packing (wild headers) or after (damaged streams); mostly in the header.
    const bool gzip = random.chance(0.5), before = !gzip || random.chance(0.6);
    if (gzip && !before) bytes = gzipped(bytes);
    const std::int64_t changes = 1 + random.integer(6);
    for (std::int64_t i = 0; i < changes; ++i) {
      const auto size = static_cast<std::int64_t>(bytes.size());
      const auto at = random.integer(random.chance(0.8) ? std::min<std::int64_t>(size, 540) : size);
      static constexpr char kWild[] = {0, 1, 127, -128, -1};
      bytes[static_cast<std::size_t>(at)] =
          random.chance(0.5) ? kWild[random.integer(5)] : static_cast<char>(random.integer(256));
    }
    if (random.chance(0.2))
      bytes.resize(
          static_cast<std::size_t>(random.integer(static_cast<std::int64_t>(bytes.size()))));
    if (gzip && before) bytes = gzipped(bytes);
    spill(path, bytes);
    INFO("trial " << trial);
    if (refusal(path).empty())
      ++read;
    else
      ++refused;
  }
  CHECK(read > 500);
  CHECK(refused > 500);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#if !defined(__SANITIZE_ADDRESS__)
  CHECK(usage.ru_maxrss < 1 << 20);  // KiB: nothing so far took a GiB
#endif
}
