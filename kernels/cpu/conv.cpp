#include "../conv.h"

#include "conv_direct.h"
#include "conv_few_channels.h"
#include "conv_im2col.h"
#include "conv_phases.h"
#include "conv_winograd.h"

namespace ratnet::inline v1 {
namespace {

// In order of preference.
const Algorithm<Conv> kForward[] = {kConvWinograd, kConvFewChannels, kConvDirect, kConvIm2col};
const Algorithm<ConvBackwardData> kBackwardData[] = {
    kConvWinogradBackwardData, kConvFewChannelsBackwardData, kConvDirectBackwardData,
    kConvPhasesBackwardData, kConvIm2colBackwardData};
const Algorithm<ConvBackwardWeights> kBackwardWeights[] = {
    kConvWinogradBackwardWeights, kConvFewChannelsBackwardWeights, kConvDirectBackwardWeights,
    kConvIm2colBackwardWeights};

}  // namespace

void run(CpuQueue& queue, const Conv& op) { run_chosen<Conv>(queue, op, kForward); }
void run(CpuQueue& queue, const ConvBackwardData& op) {
  run_chosen<ConvBackwardData>(queue, op, kBackwardData);
}
void run(CpuQueue& queue, const ConvBackwardWeights& op) {
  run_chosen<ConvBackwardWeights>(queue, op, kBackwardWeights);
}

OpNote plan(CpuQueue& queue, const Conv& op) { return describe<Conv>(kForward, queue, op); }
OpNote plan(CpuQueue& queue, const ConvBackwardData& op) {
  return describe<ConvBackwardData>(kBackwardData, queue, op);
}
OpNote plan(CpuQueue& queue, const ConvBackwardWeights& op) {
  return describe<ConvBackwardWeights>(kBackwardWeights, queue, op);
}

}  // namespace ratnet::inline v1
