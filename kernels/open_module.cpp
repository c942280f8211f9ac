#include "open_module.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "all_ops.h"
#include "backend_table.h"
#include "module.h"

namespace ratnet::inline v1 {
namespace {

namespace fs = std::filesystem;

// Where the program lies, and where this code was loaded from if that is a shared library.
std::vector<fs::path> own_folders() {
  std::error_code error;
  std::vector<fs::path> folders = {fs::read_symlink("/proc/self/exe", error).parent_path()};
  Dl_info info{};
  static const int here = 0;
  // Of a program this is its name as it was called, which may be of no use as a path.
  if (dladdr(&here, &info) && info.dli_fname && info.dli_fname[0] == '/') {
    const fs::path library = fs::path(info.dli_fname).parent_path();
    if (library != folders[0]) folders.push_back(library);
  }
  return folders;
}

std::vector<fs::path> module_folders() {
  if (const char* folder = std::getenv("RATNET_MODULES")) return {folder};
  std::vector<fs::path> folders;
  for (const fs::path& own : own_folders()) {
    folders.push_back(own);
    folders.push_back(own / "ratnet");
    folders.push_back(own.parent_path() / "ratnet");
    folders.push_back(own.parent_path() / "lib" / "ratnet");
  }
  return folders;
}

OpenBackend load(const std::string& file) {
  std::string looked;
  for (const fs::path& folder : module_folders()) {
    const fs::path path = folder / file;
    std::error_code error;
    if (!fs::exists(path, error)) {
      looked += (looked.empty() ? "" : ", ") + folder.string();
      continue;
    }
    void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!module) fail(ErrorKind::device, "the backend cannot be loaded: ", dlerror());
    void* entry = dlsym(module, kOpenBackend);
    if (!entry) fail(ErrorKind::device, path.string(), " is no backend of ratnet");
    return reinterpret_cast<OpenBackend>(entry);
  }
  fail(ErrorKind::device, "this ratnet has no such backend: ", file, " is not in ", looked);
}

}  // namespace

QueueHandle open_module(const Device& device) {
  try {
    const bool emulated = device.kind == DeviceKind::cuda_emulated;
    // Asked first, because the runtime says of a missing driver that its version is insufficient.
    if (!emulated && !dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL))
      fail(ErrorKind::device, "no NVIDIA driver: ", dlerror());
    const OpenBackend open = load(emulated ? "libratnet_cuda_emulated.so" : "libratnet_cuda.so");
    char why[512] = "";
    Queue* queue = open(device.index, backend_hash(), why, sizeof why);
    if (!queue) fail(ErrorKind::device, why);
    return QueueHandle(queue, CloseQueue{});
  } catch (const Error& error) {
    throw error.with_context("device " + to_string(device) + " cannot be used");
  }
}

}  // namespace ratnet::inline v1
