#include "matmul.h"

#include <array>

#include "../../../core/error.h"
#include "../../../core/shape.h"
#include "../../../core/text.h"

namespace ratnet::inline v1 {
namespace {

constexpr std::uint64_t kMostWorkspace = std::uint64_t{256} << 20;
constexpr std::int64_t kReferenceRows = 32;

// Of f32 matrices. The fast types round the factors only.
cublasComputeType_t compute_type(Precision precision) {
  switch (precision) {
    case Precision::f32: break;
    case Precision::tf32: return CUBLAS_COMPUTE_32F_FAST_TF32;
    case Precision::bf16: return CUBLAS_COMPUTE_32F_FAST_16BF;
  }
  return CUBLAS_COMPUTE_32F;
}

cublasLtEpilogue_t epilogue_of(const Product& product) {
  return product.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
}

class Preference {
 public:
  Preference() {
    check_cublaslt(cublaslt_library().create_preference(&raw_), "cublasLtMatmulPreferenceCreate");
  }
  Preference(const Preference&) = delete;
  ~Preference() { cublaslt_library().destroy_preference(raw_); }

  template <class T>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
    check_cublaslt(cublaslt_library().set_preference(raw_, attribute, &value, sizeof value),
                   "cublasLtMatmulPreferenceSetAttribute");
  }
  cublasLtMatmulPreference_t raw() const { return raw_; }

 private:
  cublasLtMatmulPreference_t raw_ = nullptr;
};

template <class T>
void set(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  check_cublaslt(cublaslt_library().set_product(product, attribute, &value, sizeof value),
                 "cublasLtMatmulDescSetAttribute");
}

}  // namespace

std::string to_string(const Product& p) {
  return text("product of ", Shape{p.rows, p.terms}, " and ", Shape{p.terms, p.columns}, ", ",
              name_of(p.precision));
}

void ProductPlan::Destroy::operator()(cublasLtMatmulDesc_t product) const {
  cublaslt_library().destroy_product(product);
}
void ProductPlan::Destroy::operator()(cublasLtMatrixLayout_t matrix) const {
  cublaslt_library().destroy_matrix(matrix);
}

// cuBLASLt counts down columns: to it, our [rows, columns] is a matrix of `columns` rows.
ProductPlan::Matrix ProductPlan::matrix(std::int64_t rows, std::int64_t columns) {
  cublasLtMatrixLayout_t raw = nullptr;
  check_cublaslt(
      cublaslt_library().create_matrix(&raw, CUDA_R_32F, static_cast<std::uint64_t>(columns),
                                       static_cast<std::uint64_t>(rows), columns),
      "cublasLtMatrixLayoutCreate");
  return Matrix(raw);
}

ProductPlan::Matrices::Matrices(const Product& p, std::int64_t rows)
    : left(p.left_transposed ? matrix(p.terms, rows) : matrix(rows, p.terms)),
      right(p.right_transposed ? matrix(p.columns, p.terms) : matrix(p.terms, p.columns)),
      result(matrix(rows, p.columns)) {}

// So its product is result^T = right^T left^T: its A is our right, its B our left.
ProductPlan::ProductPlan(cublasLtHandle_t handle, const Product& p) {
  cublasLtMatmulDesc_t raw = nullptr;
  check_cublaslt(cublaslt_library().create_product(&raw, compute_type(p.precision), CUDA_R_32F),
                 "cublasLtMatmulDescCreate");
  product_.reset(raw);
  set(raw, CUBLASLT_MATMUL_DESC_TRANSA, p.right_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(raw, CUBLASLT_MATMUL_DESC_TRANSB, p.left_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(raw, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(p));
  // Any place aligned as the real one is: some versions refuse a bias without one.
  if (p.bias) set(raw, CUBLASLT_MATMUL_DESC_BIAS_POINTER, std::uintptr_t{256});
  matrices_ = Matrices(p, p.rows);
  // Products of other rows with the same factor, such as samples, take the same algorithm.
  const Matrices reference(p, p.left_transposed ? p.rows : kReferenceRows);

  Preference preference;
  preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMostWorkspace);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, p.right_alignment);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, p.left_alignment);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, p.result_alignment);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, p.result_alignment);
  // Parts of a sum are added in a fixed order where they lie beside each other.
  preference.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                 std::uint32_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  std::array<cublasLtMatmulHeuristicResult_t, 8> offered = {};
  int count = 0;
  check_cublaslt(
      cublaslt_library().heuristic(handle, raw, reference.right.get(), reference.left.get(),
                                   reference.result.get(), reference.result.get(), preference.raw(),
                                   static_cast<int>(offered.size()), offered.data(), &count),
      "cublasLtMatmulAlgoGetHeuristic");
  for (int i = 0; i < count; ++i) {
    algorithm_ = offered[static_cast<std::size_t>(i)].algo;
    cublasLtMatmulHeuristicResult_t checked = {};
    const cublasStatus_t status = cublaslt_library().check_algorithm(
        handle, raw, matrices_.right.get(), matrices_.left.get(), matrices_.result.get(),
        matrices_.result.get(), &algorithm_, &checked);
    if (status != CUBLAS_STATUS_SUCCESS || checked.workspaceSize > kMostWorkspace) continue;
    workspace_bytes_ = checked.workspaceSize;
    return;
  }
  fail(ErrorKind::device, "none of ", count, " algorithms takes it");
}

void ProductPlan::run(cublasLtHandle_t handle, cudaStream_t stream, const void* left,
                      const void* right, const void* bias, void* result, void* workspace) {
  if (bias) set(product_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  const float one = 1, zero = 0;
  const Matrices& m = matrices_;
  check_cublaslt(
      cublaslt_library().multiply(handle, product_.get(), &one, right, m.right.get(), left,
                                  m.left.get(), &zero, result, m.result.get(), result,
                                  m.result.get(), &algorithm_, workspace, workspace_bytes_, stream),
      "cublasLtMatmul");
}

}  // namespace ratnet::inline v1
