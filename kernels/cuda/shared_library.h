// A library that is opened while the program runs, found as the dynamic loader finds libraries.
#pragma once

#include <dlfcn.h>

#include <string>

namespace ratnet::inline v1 {

// Stays open until the process ends: what it has made may outlive every queue.
class SharedLibrary {
 public:
  explicit SharedLibrary(const char* name) : handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) why_ = dlerror();
  }

  // Sets `function` to the library's function of that name.
  template <class Function>
  void find(Function*& function, const char* name) {
    if (!why_.empty()) return;
    function = reinterpret_cast<Function*>(dlsym(handle_, name));
    if (!function) why_ = dlerror();
  }

  // Why the library cannot be used, in the loader's words; empty where all was found.
  const std::string& why() const { return why_; }

 private:
  void* handle_;
  std::string why_;
};

}  // namespace ratnet::inline v1
