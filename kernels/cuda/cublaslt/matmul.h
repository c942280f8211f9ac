// Matrix products by cuBLASLt.
#pragma once

#include <memory>
#include <string>

#include "../../../core/precision.h"
#include "library.h"

namespace ratnet::inline v1 {

// result = left right + bias, f32 matrices in device memory, rows one after the other:
// left [rows, terms] (transposed: [terms, rows]), right [terms, columns] (transposed: [columns,
// terms]), result [rows, columns], bias [columns].
struct Product {
  std::int64_t rows = 0, columns = 0, terms = 0;
  bool left_transposed = false, right_transposed = false;
  bool bias = false;
  Precision precision = Precision::f32;
  // Of each matrix's memory, in bytes; of the result's and the bias's together.
  std::uint32_t left_alignment = 16, right_alignment = 16, result_alignment = 16;
  bool operator==(const Product&) const = default;
};

// "product of [32, 2048] and [2048, 128], tf32".
std::string to_string(const Product& product);

// What cuBLASLt prepared for one product; its memory is given at each run.
class ProductPlan {
 public:
  // Throws Error (device) where cuBLASLt has no algorithm for it.
  ProductPlan(cublasLtHandle_t handle, const Product& product);

  std::size_t workspace_bytes() const { return workspace_bytes_; }
  // workspace: workspace_bytes() of device memory. Throws Error (device).
  void run(cublasLtHandle_t handle, cudaStream_t stream, const void* left, const void* right,
           const void* bias, void* result, void* workspace);

 private:
  struct Destroy {
    void operator()(cublasLtMatmulDesc_t product) const;
    void operator()(cublasLtMatrixLayout_t matrix) const;
  };
  using Matrix = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, Destroy>;
  static Matrix matrix(std::int64_t rows, std::int64_t columns);
  struct Matrices {
    Matrix left, right, result;
    Matrices() = default;
    // Of a product with that many rows.
    Matrices(const Product& product, std::int64_t rows);
  };

  std::unique_ptr<cublasLtMatmulDescOpaque_t, Destroy> product_;
  Matrices matrices_;
  cublasLtMatmulAlgo_t algorithm_ = {};
  std::size_t workspace_bytes_ = 0;
};

}  // namespace ratnet::inline v1
