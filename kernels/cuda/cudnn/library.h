// libcudnn.so.9, opened at run time: what we use of it.
#pragma once

#include <cudnn.h>

#include <string>

namespace ratnet::inline v1 {

struct CudnnLibrary {
  decltype(cudnnCreate)* create = nullptr;
  decltype(cudnnDestroy)* destroy = nullptr;
  decltype(cudnnSetStream)* set_stream = nullptr;
  decltype(cudnnBackendCreateDescriptor)* create_descriptor = nullptr;
  decltype(cudnnBackendDestroyDescriptor)* destroy_descriptor = nullptr;
  decltype(cudnnBackendSetAttribute)* set_attribute = nullptr;
  decltype(cudnnBackendGetAttribute)* get_attribute = nullptr;
  decltype(cudnnBackendFinalize)* finalize = nullptr;
  decltype(cudnnBackendExecute)* execute = nullptr;
  decltype(cudnnGetErrorString)* error_string = nullptr;
  decltype(cudnnGetLastErrorString)* last_error_string = nullptr;

  std::string why;  // it cannot be used, in the loader's words; empty where it can
};

// Opens it on the first call.
const CudnnLibrary& cudnn_library();

// Throws Error (device) unless the call succeeded: "cudnn: what: its own words".
void check_cudnn(cudnnStatus_t status, const char* what);

}  // namespace ratnet::inline v1
