#include "hdf5_handle.h"

#include <hdf5.h>

#include <type_traits>
#include <utility>

#include "../core/error.h"

namespace ratnet::inline v1 {

static_assert(std::is_same_v<hid_t, std::int64_t>, "HDF5 1.10 or later is needed");

Hdf5Id::Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)) {}

Hdf5Id& Hdf5Id::operator=(Hdf5Id&& other) noexcept {
  std::swap(id_, other.id_);
  return *this;
}

Hdf5Id::~Hdf5Id() {
  if (id_ >= 0) H5Idec_ref(id_);
}

std::mutex& hdf5_mutex() {
  static std::mutex mutex;
  return mutex;
}

Hdf5Silence::Hdf5Silence() {
  H5Eget_auto2(H5E_DEFAULT, &print_, &context_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Silence::~Hdf5Silence() { H5Eset_auto2(H5E_DEFAULT, print_, context_); }

std::string printable(const std::string& text) {
  std::string line = text.substr(0, 200);
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  return line;
}

std::string hdf5_reason() {
  std::string reason;
  // Entry 0 is the innermost function, which knows what went wrong.
  const auto keep_first = [](unsigned n, const H5E_error2_t* error, void* context) -> herr_t {
    if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(context) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  return reason.empty() ? "the HDF5 library gives no reason" : printable(reason);
}

Hdf5Id open_hdf5_file(const std::string& path) {
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS));
  // Files on disks that know no locks can be read too.
  H5Pset_file_locking(access.get(), true, true);
  Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
  if (!file) fail(ErrorKind::input, "cannot be opened as HDF5 (", hdf5_reason(), ")");
  return file;
}

}  // namespace ratnet::inline v1
