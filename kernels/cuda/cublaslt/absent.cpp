// cuBLASLt where the module was built without it.
#include "../vendor.h"

namespace ratnet::inline v1 {

constinit const CudaAlgorithm<ConvForward> cublaslt_forward = absent<ConvForward>("cublaslt");
constinit const CudaAlgorithm<ConvData> cublaslt_data = absent<ConvData>("cublaslt");
constinit const CudaAlgorithm<ConvWeights> cublaslt_weights = absent<ConvWeights>("cublaslt");

}  // namespace ratnet::inline v1
