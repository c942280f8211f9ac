#include "library.h"

#include <cuda_runtime.h>

#include "../../../core/error.h"
#include "../shared_library.h"

namespace ratnet::inline v1 {
namespace {

CublasLtLibrary open_library() {
  SharedLibrary file(text("libcublasLt.so.", CUDART_VERSION / 1000).c_str());
  CublasLtLibrary library;
  file.find(library.create, "cublasLtCreate");
  file.find(library.destroy, "cublasLtDestroy");
  file.find(library.status_string, "cublasLtGetStatusString");
  file.find(library.create_product, "cublasLtMatmulDescCreate");
  file.find(library.set_product, "cublasLtMatmulDescSetAttribute");
  file.find(library.destroy_product, "cublasLtMatmulDescDestroy");
  file.find(library.create_matrix, "cublasLtMatrixLayoutCreate");
  file.find(library.destroy_matrix, "cublasLtMatrixLayoutDestroy");
  file.find(library.create_preference, "cublasLtMatmulPreferenceCreate");
  file.find(library.set_preference, "cublasLtMatmulPreferenceSetAttribute");
  file.find(library.destroy_preference, "cublasLtMatmulPreferenceDestroy");
  file.find(library.heuristic, "cublasLtMatmulAlgoGetHeuristic");
  file.find(library.check_algorithm, "cublasLtMatmulAlgoCheck");
  file.find(library.multiply, "cublasLtMatmul");
  library.why = file.why();
  return library;
}

}  // namespace

const CublasLtLibrary& cublaslt_library() {
  static const CublasLtLibrary library = open_library();
  return library;
}

void check_cublaslt(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(ErrorKind::device, what, ": ", cublaslt_library().status_string(status));
}

}  // namespace ratnet::inline v1
