#include "library.h"

#include "../../../core/error.h"
#include "../shared_library.h"

namespace ratnet::inline v1 {
namespace {

CudnnLibrary open_library() {
  SharedLibrary file("libcudnn.so.9");
  CudnnLibrary library;
  file.find(library.create, "cudnnCreate");
  file.find(library.destroy, "cudnnDestroy");
  file.find(library.set_stream, "cudnnSetStream");
  file.find(library.create_descriptor, "cudnnBackendCreateDescriptor");
  file.find(library.destroy_descriptor, "cudnnBackendDestroyDescriptor");
  file.find(library.set_attribute, "cudnnBackendSetAttribute");
  file.find(library.get_attribute, "cudnnBackendGetAttribute");
  file.find(library.finalize, "cudnnBackendFinalize");
  file.find(library.execute, "cudnnBackendExecute");
  file.find(library.error_string, "cudnnGetErrorString");
  file.find(library.last_error_string, "cudnnGetLastErrorString");
  library.why = file.why();
  return library;
}

}  // namespace

const CudnnLibrary& cudnn_library() {
  static const CudnnLibrary library = open_library();
  return library;
}

void check_cudnn(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char details[512] = "";
  cudnn_library().last_error_string(details, sizeof details);
  fail(ErrorKind::device, what, ": ", cudnn_library().error_string(status), details[0] ? ": " : "",
       details);
}

}  // namespace ratnet::inline v1
