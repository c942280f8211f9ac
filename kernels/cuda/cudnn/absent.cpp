// cuDNN where the module was built without it.
#include "../vendor.h"

namespace ratnet::inline v1 {

constinit const CudaAlgorithm<ConvForward> cudnn_forward = absent<ConvForward>("cudnn");
constinit const CudaAlgorithm<ConvData> cudnn_data = absent<ConvData>("cudnn");
constinit const CudaAlgorithm<ConvWeights> cudnn_weights = absent<ConvWeights>("cudnn");

}  // namespace ratnet::inline v1
