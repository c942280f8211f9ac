// cuBLASLt, opened at run time: what we use of it.
#pragma once

#include <cublasLt.h>

#include <string>

namespace ratnet::inline v1 {

struct CublasLtLibrary {
  decltype(cublasLtCreate)* create = nullptr;
  decltype(cublasLtDestroy)* destroy = nullptr;
  decltype(cublasLtGetStatusString)* status_string = nullptr;
  decltype(cublasLtMatmulDescCreate)* create_product = nullptr;
  decltype(cublasLtMatmulDescSetAttribute)* set_product = nullptr;
  decltype(cublasLtMatmulDescDestroy)* destroy_product = nullptr;
  decltype(cublasLtMatrixLayoutCreate)* create_matrix = nullptr;
  decltype(cublasLtMatrixLayoutDestroy)* destroy_matrix = nullptr;
  decltype(cublasLtMatmulPreferenceCreate)* create_preference = nullptr;
  decltype(cublasLtMatmulPreferenceSetAttribute)* set_preference = nullptr;
  decltype(cublasLtMatmulPreferenceDestroy)* destroy_preference = nullptr;
  decltype(cublasLtMatmulAlgoGetHeuristic)* heuristic = nullptr;
  decltype(cublasLtMatmulAlgoCheck)* check_algorithm = nullptr;
  decltype(cublasLtMatmul)* multiply = nullptr;

  std::string why;  // it cannot be used, in the loader's words; empty where it can
};

// Opens the version of the toolkit that the module was built with, on the first call.
const CublasLtLibrary& cublaslt_library();

// Throws Error (device) unless the call succeeded: "what: its own words".
void check_cublaslt(cublasStatus_t status, const char* what);

}  // namespace ratnet::inline v1
