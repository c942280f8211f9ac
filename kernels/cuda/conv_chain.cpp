#include "../conv_chain.h"

#include "../../core/text.h"
#include "../conv_chain_stages.h"
#include "ratnet_convs.h"

namespace ratnet::inline v1 {
namespace {

bool is_ratnets(const ConvChain::Stage& stage, std::int64_t in) {
  const Window same{
      .rank = 2, .kernel = {3, 3, 1}, .pad_before = {1, 1, 0}, .pad_after = {1, 1, 0}};
  const Window pool{.rank = 2, .kernel = {2, 2, 1}, .stride = {2, 2, 1}};
  return stage.weight.shape == Shape{3, 3, in, 32} && stage.window == same &&
         stage.activation == Activation::relu && stage.pool == pool;
}

bool aligned(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % 16 == 0; }

// Why RatNet's kernel does not take the chain; empty where it does.
std::string ratnet_convs_declines(const CudaQueue& queue, const ConvChain& op) {
  if (op.precision == Precision::tf32) return "RatNet's kernel has f32 and bf16, no tf32";
  if (op.x.shape != Shape{op.x.shape[0], 64, 64, 1})
    return "not RatNet's: x is not slices of 64 x 64 pixels of one channel";
  if (op.count != 3) return "not RatNet's: that has three stages";
  for (int i = 0; i < 3; ++i)
    if (!is_ratnets(op.stages[i], i == 0 ? 1 : 32))
      return text("not RatNet's: stage ", i + 1,
                  " is not 3 x 3 'same' to 32 channels, ReLU and 2 x 2 maxima");
  if (!aligned(op.x.data) || !aligned(op.y.data))
    return "RatNet's kernel needs x and y to begin at multiples of 16 bytes";
  const std::size_t needed = ratnet_convs_shared_bytes(op);
  if (needed > queue.shared_bytes)
    return text("RatNet's kernel needs ", needed, " bytes of shared memory, the device has ",
                queue.shared_bytes);
  return "";
}

}  // namespace

OpNote plan(CudaQueue& queue, const ConvChain& op) {
  const std::string why = ratnet_convs_declines(queue, op);
  if (!why.empty()) return plan_stages(queue, op, why.c_str());
  return note_of(op.precision == Precision::bf16 ? "ratnet_convs, bf16"
                                                 : "ratnet_convs, f32 of three tf32 products",
                 0);
}

void run(CudaQueue& queue, const ConvChain& op) {
  if (!ratnet_convs_declines(queue, op).empty()) return run_stages(queue, op);
  run_ratnet_convs(queue, op);
}

}  // namespace ratnet::inline v1
