// Every operation, complete: for what is made of the lists in ops.h.
#pragma once

#include "activation.h"
#include "bias.h"
#include "conv.h"
#include "conv_chain.h"
#include "dense.h"
#include "normalise.h"
#include "ops.h"
#include "optimise.h"
#include "pointwise.h"
#include "pool.h"
#include "softmax.h"
