// Every operation, complete: for what is made of the lists in ops.h.
#pragma once

#include "activation.h"
#include "bias.h"
#include "conv.h"
#include "conv_chain.h"
#include "cross_entropy.h"
#include "dense.h"
#include "dice_loss.h"
#include "element_loss.h"
#include "gaussian_kl.h"
#include "normalise.h"
#include "ops.h"
#include "optimise.h"
#include "pointwise.h"
#include "pool.h"
#include "softmax.h"
#include "ssim_loss.h"
