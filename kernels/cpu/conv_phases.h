// The gradient of a convolution's input in f32 for any stride, which is also the forward pass of a
// transposed convolution: a direct convolution for each phase of the input's pixels (the polyphase
// form of an interpolating filter: Bellanger, Bonnerot and Coudreuse 1976; for convolutional
// layers, Shi et al. 2016, arXiv:1609.07009).
//
// With stride s, dx[i] is the sum of dy[o] * weight[k] over o * s - pad + k * dilation = i. The
// pixels i = j * s + r of one remainder r, a phase, see only the taps whose k * dilation leaves the
// remainder of r + pad; tap k meets dy at o = j + (r + pad - k * dilation) / s. So a phase is a
// correlation of stride 1 between dy and every s-th tap of the kernel turned round, and all taps of
// all phases are the kernel's, each once: nothing is multiplied by zeros that a stride put there. A
// phase may have no tap, where the kernel is smaller than the stride: its pixels are zeros.
//
// Neighbouring phases of a row may become one: their s pixels are s times the channels of one pixel
// of dy's size. The taps are then those of any of them, with zeros where one lacks a tap. This is
// done where it takes fewer products, which is where the channels of dx fill little of a register
// tile; it spreads an infinite or NaN dy over the pixels between those that it belongs to.
//
// Blocking: an item of work is a band of rows of dy, copied once with its border, and the rows of
// dx of all phases over it. The weights of each phase are packed (as in conv_direct.h) into panels
// of two vectors of channels; a panel's stay in the first-level cache while the band passes by.
// Whole panels are stored in dx at once, what is left of the last one by way of a row buffer. Cost:
// the forward pass's products. Summation order of an output: taps backwards, each over the channels
// of dy. It depends on neither threads nor the rest of the batch.
#pragma once

#include "../conv.h"
#include "algorithms.h"

namespace ratnet::inline v1 {

extern const Algorithm<ConvBackwardData> kConvPhasesBackwardData;

}  // namespace ratnet::inline v1
