#include "libraries.h"

#include <dlfcn.h>

#include <cstdint>

namespace ratnet::inline v1 {
namespace {

using Json = nlohmann::ordered_json;

// The version by a function that returns it.
constexpr auto kReturned = [](void* function) -> std::int64_t {
  return static_cast<std::int64_t>(reinterpret_cast<std::size_t (*)()>(function)());
};
// By one that writes it; -1 where that fails.
constexpr auto kWritten = [](void* function) -> std::int64_t {
  int version = 0;
  return reinterpret_cast<int (*)(int*)>(function)(&version) == 0 ? version : -1;
};

template <class Ask>
Json look_for(const char* name, const char* asked, const Ask& ask) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  void* function = library ? dlsym(library, asked) : nullptr;
  if (!function) return {{"absent", dlerror()}};
  Dl_info info{};
  dladdr(function, &info);
  return {{"version", ask(function)}, {"path", info.dli_fname ? info.dli_fname : ""}};
}

}  // namespace

Json found_libraries() {
  Json found;
  found["libcuda.so.1"] = look_for("libcuda.so.1", "cuDriverGetVersion", kWritten);
  found["libcudnn.so.9"] = look_for("libcudnn.so.9", "cudnnGetVersion", kReturned);
  for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12"})
    found[name] = look_for(name, "cublasLtGetVersion", kReturned);
  return found;
}

}  // namespace ratnet::inline v1
