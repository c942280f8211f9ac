#include "graph.h"

#include <algorithm>
#include <vector>

namespace ratnet::inline v1 {
namespace {

using Sizes = std::vector<std::int64_t>;

// Dimensions in cuDNN's order [first, channels, spatial...], in memory channels last.
Sizes channels_last_strides(const Sizes& sizes) {
  Sizes strides(sizes.size());
  strides[1] = 1;
  std::int64_t stride = sizes[1];
  for (std::size_t d = sizes.size(); d-- > 2;) {
    strides[d] = stride;
    stride *= sizes[d];
  }
  strides[0] = stride;
  return strides;
}

class GraphMaker {
 public:
  explicit GraphMaker(const ConvProblem& problem) : problem_(problem), g_(problem.geometry) {
    // cuDNN knows two and three dimensions.
    const bool flat = g_.in[0] == 1 && g_.out[0] == 1 && g_.kernel[0] == 1 && g_.pad[0] == 0;
    first_ = flat ? 1 : 0;
  }

  OperationGraph make(cudnnHandle_t handle) {
    switch (problem_.direction) {
      case Direction::forward: forward(); break;
      case Direction::backward_data: backward_data(); break;
      case Direction::backward_weights: backward_weights(); break;
    }
    Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "graph");
    graph.set_descriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations_);
    if (handle) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle);
    graph.finalize();
    return {std::move(parts_), std::move(graph)};
  }

 private:
  void forward() {
    const Descriptor& x = rounded(tensor(kX, x_sizes()), x_sizes());
    const Descriptor& weight = weight_factor();
    const bool last = !problem_.bias && problem_.activation == Activation::none;
    const Descriptor* y = &result(last);
    operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, "convolution")
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, window())
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weight)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, *y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f)
        .finalize();
    if (problem_.bias) {
      Sizes sizes(x_sizes().size(), 1);
      sizes[1] = g_.outputs;
      const Descriptor& bias = tensor(kBias, sizes, CUDNN_DATA_FLOAT, sizeof(float));
      const Descriptor& sum = result(problem_.activation == Activation::none);
      pointwise(CUDNN_POINTWISE_ADD, *y, &bias, sum);
      y = &sum;
    }
    if (problem_.activation != Activation::none)
      pointwise(CUDNN_POINTWISE_RELU_FWD, *y, nullptr, result(true));
  }

  void backward_data() {
    const Descriptor& dy = rounded(tensor(kY, y_sizes()), y_sizes());
    operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, "convolution")
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, window())
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, dy)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, weight_factor())
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, tensor(kX, x_sizes()))
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0f)
        .finalize();
  }

  void backward_weights() {
    const Descriptor& x = rounded(tensor(kX, x_sizes()), x_sizes());
    const Descriptor& dy = rounded(tensor(kY, y_sizes()), y_sizes());
    operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, "convolution")
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, window())
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, dy)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, tensor(kWeight, weight_sizes()))
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0f)
        .finalize();
  }

  Sizes sizes(std::int64_t first, std::int64_t second, const std::int64_t* spatial) const {
    Sizes all = {first, second};
    all.insert(all.end(), spatial + first_, spatial + 3);
    return all;
  }
  Sizes x_sizes() const { return sizes(g_.batch, g_.channels, g_.in); }
  Sizes y_sizes() const { return sizes(g_.batch, g_.outputs, g_.out); }
  Sizes weight_sizes() const { return sizes(g_.outputs, g_.channels, g_.kernel); }

  Descriptor& part(cudnnBackendDescriptorType_t type, const char* name) {
    return parts_.emplace_back(type, name);
  }
  Descriptor& operation(cudnnBackendDescriptorType_t type, const char* name) {
    Descriptor& made = part(type, name);
    operations_.push_back(made.raw());
    return made;
  }

  Descriptor& tensor(std::int64_t id, const Sizes& sizes, cudnnDataType_t type = CUDNN_DATA_FLOAT,
                     std::int64_t alignment = kTensorAlignment) {
    const Sizes strides = channels_last_strides(sizes);
    return part(CUDNN_BACKEND_TENSOR_DESCRIPTOR, "tensor")
        .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, type)
        .set_all<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS, sizes)
        .set_all<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES, strides)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment)
        .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, id >= kFirstVirtual)
        .finalize();
  }

  // The result of an operation: y where it is the last one.
  Descriptor& result(bool last) { return tensor(last ? kY : next_virtual_++, y_sizes()); }

  // A factor as it is multiplied.
  Descriptor& rounded(Descriptor& factor, const Sizes& sizes) {
    if (problem_.precision != Precision::bf16) return factor;
    Descriptor& virtual_factor = tensor(next_virtual_++, sizes, CUDNN_DATA_BFLOAT16);
    pointwise(CUDNN_POINTWISE_IDENTITY, factor, nullptr, virtual_factor);
    return virtual_factor;
  }

  // Rounded already, where it was brought into cuDNN's order: no engine rounds weights.
  Descriptor& weight_factor() {
    return tensor(kWeight, weight_sizes(),
                  problem_.precision == Precision::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT);
  }

  void pointwise(cudnnPointwiseMode_t mode, const Descriptor& from, const Descriptor* other,
                 const Descriptor& to) {
    Descriptor& what = part(CUDNN_BACKEND_POINTWISE_DESCRIPTOR, "pointwise");
    what.set(CUDNN_ATTR_POINTWISE_MODE, mode).set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    if (mode == CUDNN_POINTWISE_RELU_FWD)
      what.set(CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_PROPAGATE_NAN);
    if (mode == CUDNN_POINTWISE_RELU_FWD && problem_.slope != 0)
      what.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, problem_.slope);
    what.finalize();
    Descriptor& made = operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "pointwise");
    made.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, what)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, from);
    if (other) made.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *other);
    made.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to).finalize();
  }

  Descriptor& window() {
    const std::int64_t rank = 3 - first_;
    Sizes before, after, stride, dilation;
    for (int d = first_; d < 3; ++d) {
      const std::int64_t reach =
          (g_.out[d] - 1) * g_.stride[d] + (g_.kernel[d] - 1) * g_.dilation[d];
      before.push_back(g_.pad[d]);
      // Less than 0 where the last windows do not reach the end.
      after.push_back(std::max<std::int64_t>(0, reach + 1 - g_.in[d] - g_.pad[d]));
      stride.push_back(g_.stride[d]);
      dilation.push_back(g_.dilation[d]);
    }
    return part(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "window")
        .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, rank)
        .set_all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS, dilation)
        .set_all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, stride)
        .set_all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, before)
        .set_all<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, after)
        .finalize();
  }

  const ConvProblem& problem_;
  const WindowGeometry& g_;
  int first_;  // the first spatial dimension that is not left out
  std::int64_t next_virtual_ = kFirstVirtual;
  std::list<Descriptor> parts_;
  std::vector<cudnnBackendDescriptor_t> operations_;
};

}  // namespace

OperationGraph make_graph(const ConvProblem& problem, cudnnHandle_t handle) {
  return GraphMaker(problem).make(handle);
}

}  // namespace ratnet::inline v1
