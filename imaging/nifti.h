// NIfTI-1 and NIfTI-2 files (nifti.nimh.nih.gov): .nii, .hdr with .img, plain or gzip, both byte
// orders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "volume.h"

namespace ratnet::inline v1 {

// Types of stored voxels, by their codes in the standard.
enum class NiftiType : int {
  u8 = 2,
  i16 = 4,
  i32 = 8,
  f32 = 16,
  f64 = 64,
  i8 = 256,
  u16 = 512,
  u32 = 768,
  i64 = 1024,
  u64 = 1280
};
std::string_view name_of(NiftiType type);
std::size_t size_of(NiftiType type);

// What the header says.
struct NiftiInfo {
  ScanGeometry geometry;
  NiftiType type = NiftiType::f32;
  double slope = 1;  // value = slope * stored + intercept
  double intercept = 0;
  int version = 1;  // NIfTI-1 or -2
  bool big_endian = false;
  bool gzip = false;
  bool pair = false;             // .hdr with .img
  std::int64_t data_offset = 0;  // of the voxels in the (uncompressed) file that holds them
  std::string affine_source;     // "sform", "qform" or "voxel sizes only"
  std::vector<std::string> notes;
};

struct NiftiReadOptions {
  std::int64_t first_time = 0;
  std::int64_t times = -1;  // how many volumes from first_time on; -1: all
  // The largest result in bytes (f32). 0 takes 512 MiB or 64 times the file's size, whichever is
  // more, but never more than three quarters of the machine's memory.
  std::uint64_t max_bytes = 0;
};

// Reads the header only. `path` is the .nii or .hdr file, or the .img beside its .hdr. Throws
// Error: file_system when it cannot be opened, input when it is something else or makes no sense
// (more than four dimensions, complex or colour voxels, sizes out of range).
NiftiInfo read_nifti_info(const std::string& path);

// Reads voxels too. Memory grows with what the file really holds, never on the header's word; a
// truncated or damaged file throws Error (input). Non-finite voxels are kept and noted.
Volume read_nifti(const std::string& path, const NiftiReadOptions& options = {});

// "NIfTI-1, i16, gzip": for reports.
std::string describe(const NiftiInfo& info);

// True for names this reader may be given: .nii, .nii.gz, .hdr, .hdr.gz, .img, .img.gz.
bool is_nifti_name(const std::string& path);

// Writes NIfTI-1, little-endian, whole or not at all; gzip when the name ends in .gz. Equal input
// gives equal bytes.
// data: [T, Z, Y, X] or [Z, Y, X], f32, u8 or i16, stored as it is; sizes as in the geometry.
// Throws Error: usage for other shapes, types or names, file_system when it cannot be written.
void write_nifti(const std::string& path, const ConstView& data, const ScanGeometry& geometry);
void write_nifti(const std::string& path, const Volume& volume);

}  // namespace ratnet::inline v1
