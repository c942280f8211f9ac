// One convolution by itself: forward, backward data and backward weights.
#include <functional>

#include "../../core/tensor.h"
#include "../../kernels/conv.h"
#include "../../kernels/cpu/instruction_set.h"
#include "../../kernels/open.h"
#include "../../kernels/submit.h"
#include "peer_protocol.h"
#include "ratnet_peer.h"

namespace ratnet::inline v1 {
namespace {

Tensor read_tensor(const std::string& path, const Shape& shape) {
  return Tensor::of<float>(shape, read_numbers<float>(path));
}

// `first`, then `size` along all dimensions, then `last`.
Shape cube(std::vector<std::int64_t> first, int rank, std::int64_t size,
           const std::vector<std::int64_t>& last) {
  first.insert(first.end(), static_cast<std::size_t>(rank), size);
  first.insert(first.end(), last.begin(), last.end());
  return Shape(first);
}

}  // namespace

// FOLDER holds x and dy, channels last, and weight, [kernel..., in, out], of a transposed
// convolution [kernel..., out, in]; all sizes are equal along the RANK dimensions, SIZE is that of
// x, and a transposed convolution (KIND "transposed") enlarges by STRIDE. Without a bias. Writes
// NAME.forward, NAME.data and NAME.weights there, then measures the pass named WHAT.
void layer(const Words& words) {
  const std::string& folder = words[0];
  const bool transposed = words[3] == "transposed";
  const int rank = std::stoi(words[4]);
  const std::int64_t size = std::stoll(words[5]), in = std::stoll(words[6]);
  const std::int64_t out = std::stoll(words[7]), kernel = std::stoll(words[8]);
  const std::int64_t stride = std::stoll(words[9]), pad = std::stoll(words[10]);
  const std::int64_t n = std::stoll(words[11]);
  Window window{.rank = rank};
  for (std::size_t d = 0; d < static_cast<std::size_t>(rank); ++d) {
    window.kernel[d] = kernel;
    window.stride[d] = stride;
    window.pad_before[d] = window.pad_after[d] = pad;
  }

  // A transposed convolution is the adjoint of one from its output to its input.
  const std::int64_t wide_channels = transposed ? out : in, narrow_channels = transposed ? in : out;
  const Shape wide_shape = cube({n}, rank, transposed ? size * stride : size, {wide_channels});
  const Shape narrow_shape = window.output(wide_shape, narrow_channels, "layer");
  const Tensor wide = read_tensor(folder + (transposed ? "/dy" : "/x"), wide_shape);
  const Tensor narrow = read_tensor(folder + (transposed ? "/x" : "/dy"), narrow_shape);
  const Tensor weight =
      read_tensor(folder + "/weight", cube({}, rank, kernel, {wide_channels, narrow_channels}));
  Tensor to_wide(wide_shape, DType::f32), to_narrow(narrow_shape, DType::f32);
  Tensor dweight(weight.shape(), DType::f32);

  const QueueHandle queue = open_queue(
      {.device = {DeviceKind::cpu, 0}, .threads = std::stoi(words[2]), .executor = nullptr});
  const Conv narrowing{.x = wide, .weight = weight, .y = to_narrow, .window = window};
  const ConvBackwardData widening{.dy = narrow, .weight = weight, .dx = to_wide, .window = window};
  const ConvBackwardWeights weights{.x = wide, .dy = narrow, .dweight = dweight, .window = window};
  const auto pass = [&](const std::string& what) -> std::function<void()> {
    if (what == "weights") return [&] { submit(*queue, weights); };
    if ((what == "forward") != transposed) return [&] { submit(*queue, narrowing); };
    return [&] { submit(*queue, widening); };
  };
  const std::pair<const char*, const Tensor*> results[] = {
      {"forward", transposed ? &to_wide : &to_narrow},
      {"data", transposed ? &to_narrow : &to_wide},
      {"weights", &dweight}};
  for (const auto& [what, tensor] : results) {
    pass(what)();
    write_numbers(folder + "/" + words[1] + "." + what, tensor->values<float>());
  }
  std::cout << R"({"instruction_set": ")" << instruction_set() << "\"}" << std::endl;
  serve(pass);
}

}  // namespace ratnet::inline v1
