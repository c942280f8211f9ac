"""What PyTorch makes of single layers, above all of options that frameworks understand differently:
tests/golden/layers.safetensors.

For each case: the output y, the gradients of x and of the weights for a given gradient of y, and the
statistics that a batch normalisation leaves. In double alone: it tells right from wrong in the last
digits, and holds ratnet's single precision to account more strictly than PyTorch's own, whose
rounding would come on top.
"""

import torch
import torch.nn.functional as F

from . import tensorflow_rules
from .mixed import Weights, first, kernel, last, mixed_tensor

GRADIENT = 1000  # the stream of dy

CONV = (F.conv1d, F.conv2d, F.conv3d)
TRANSPOSED = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
MAX_POOL = (F.max_pool1d, F.max_pool2d, F.max_pool3d)
AVG_POOL = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)


def conv(out, size, pad=None, groups=1, bias=True, **options):
    """pad: as F.pad has it, the last dimension first."""

    def run(x, ask):
        weight = ask("weight", size + (x.shape[1] // groups, out))
        b = ask("bias", (out,)) if bias else None
        if pad:
            x = F.pad(x, pad)
        return CONV[len(size) - 1](x, kernel(weight), b, groups=groups, **options)

    return run


def transposed(out, size, **options):
    def run(x, ask):
        weight = ask("weight", size + (out, x.shape[1]))
        return TRANSPOSED[len(size) - 1](x, kernel(weight), ask("bias", (out,)), **options)

    return run


def dense(out):
    return lambda x, ask: x @ ask("weight", (x.shape[1], out)) + ask("bias", (out,))


def pool(functions, size, **options):
    return lambda x, ask: functions[x.ndim - 3](x, size, **options)


def batch_norm(training):
    def run(x, ask):
        scale, shift, mean, variance = (
            ask(kind, (x.shape[1],)) for kind in ("scale", "shift", "mean", "variance"))
        if not training:  # what is frozen has no gradient
            scale, shift = scale.detach(), shift.detach()
        return F.batch_norm(x, mean, variance, scale, shift, training, momentum=0.3, eps=1e-3)

    return run


def affine(ask, x):
    return ask("scale", (x.shape[1],)), ask("shift", (x.shape[1],))


def instance_norm(x, ask):
    return F.instance_norm(x, None, None, *affine(ask, x))


def group_norm(groups):
    return lambda x, ask: F.group_norm(x, groups, *affine(ask, x))


def upsample(factor, mode, align=None):
    return lambda x, ask: F.interpolate(x, scale_factor=factor, mode=mode, align_corners=align)


def plain(function, *arguments, **options):
    return lambda x, ask: function(x, *arguments, **options)


# name: the shape of x, channels last; the layer on channels first
CASES = {
    "conv/1d": ((2, 7, 3), conv(4, (3,), padding=1)),
    "conv/stride": ((2, 7, 8, 3), conv(5, (3, 3), stride=2, padding=1)),
    "conv/strides": ((2, 7, 8, 2), conv(3, (3, 5), stride=(3, 2), padding=(0, 2))),
    "conv/dilation": ((1, 9, 11, 2), conv(3, (3, 3), dilation=(2, 3), padding=(2, 3), bias=False)),
    "conv/stride_and_dilation": ((2, 11, 10, 2), conv(3, (3, 2), stride=2, dilation=(1, 3))),
    "conv/groups": ((2, 5, 6, 6), conv(4, (3, 3), groups=2, padding=1)),
    "conv/depthwise": ((2, 6, 5, 5), conv(10, (3, 3), groups=5, stride=(1, 2), padding=1)),
    "conv/even": ((2, 5, 7, 3), conv(4, (2, 4), padding="same")),
    "conv/even_and_dilation": ((1, 7, 6, 2), conv(3, (4, 2), dilation=(1, 3), padding="same")),
    "conv/asymmetric": ((2, 5, 6, 3), conv(4, (3, 2), pad=(2, 0, 0, 1), stride=(1, 2))),
    "conv/3d": ((1, 4, 5, 6, 2), conv(3, (3, 2, 1), stride=(2, 1, 3), pad=(0, 1, 1, 0, 1, 1))),
    "conv_transpose/1d": ((2, 5, 3), transposed(4, (3,), stride=2, padding=1, output_padding=1)),
    "conv_transpose/2x2": ((2, 3, 5, 4), transposed(3, (2, 2), stride=2)),
    "conv_transpose/4x4": ((1, 5, 3, 2), transposed(3, (4, 4), stride=2, padding=1)),
    "conv_transpose/output_padding": (
        (2, 4, 3, 3), transposed(2, (3, 5), stride=(2, 3), padding=(1, 2), output_padding=(1, 2))),
    "conv_transpose/gaps": ((1, 4, 3, 2), transposed(3, (2, 2), stride=3)),
    "conv_transpose/dilation": ((1, 4, 5, 2), transposed(3, (3, 3), dilation=2, padding=1)),
    "conv_transpose/3d": ((1, 2, 3, 4, 3), transposed(2, (2, 2, 2), stride=2)),
    "dense": ((5, 7), dense(3)),
    "max_pool/padding": ((2, 7, 8, 3), pool(MAX_POOL, 3, stride=2, padding=1)),
    "max_pool/odd": ((2, 7, 5, 3), pool(MAX_POOL, 2)),
    "max_pool/overlap": ((1, 9, 2), pool(MAX_POOL, 4, stride=1, padding=2)),
    "max_pool/3d": ((1, 5, 4, 6, 2), pool(MAX_POOL, (3, 2, 2), stride=(2, 1, 2))),
    "avg_pool/counted": ((2, 7, 8, 3), pool(AVG_POOL, 3, stride=2, padding=1)),
    "avg_pool/not_counted": (
        (2, 7, 8, 3), pool(AVG_POOL, 3, stride=2, padding=1, count_include_pad=False)),
    "avg_pool/3d": ((1, 5, 4, 7, 2), pool(AVG_POOL, (2, 2, 3))),
    "global_pool/mean": ((2, 3, 5, 4), lambda x, ask: x.mean((2, 3))),
    "global_pool/max": ((2, 3, 5, 4), lambda x, ask: x.amax((2, 3))),
    "upsample/nearest": ((2, 3, 4, 2), upsample((2, 3), "nearest")),
    "upsample/nearest_3d": ((1, 2, 3, 2, 2), upsample(2, "nearest")),
    "upsample/linear": ((2, 5, 3), upsample(3, "linear", False)),
    "upsample/linear_corners": ((2, 5, 3), upsample(3, "linear", True)),
    "upsample/bilinear": ((2, 3, 4, 2), upsample((2, 3), "bilinear", False)),
    "upsample/bilinear_corners": ((2, 3, 4, 2), upsample((2, 3), "bilinear", True)),
    "upsample/trilinear": ((1, 2, 3, 4, 2), upsample(2, "trilinear", False)),
    "upsample/trilinear_corners": ((1, 2, 3, 4, 2), upsample(2, "trilinear", True)),
    "batch_norm/train": ((3, 4, 5, 3), batch_norm(True)),
    "batch_norm/train_dense": ((7, 5), batch_norm(True)),
    "batch_norm/train_3d": ((2, 2, 3, 4, 3), batch_norm(True)),
    "batch_norm/eval": ((3, 4, 5, 3), batch_norm(False)),
    "instance_norm": ((2, 4, 5, 3), instance_norm),
    "instance_norm/plain": ((2, 3, 4, 2, 3), plain(F.instance_norm)),
    "group_norm": ((2, 3, 5, 6), group_norm(2)),
    "layer_norm": ((3, 7), lambda x, ask: F.layer_norm(x, (7,), *affine(ask, x))),
    "layer_norm/image": ((2, 4, 3, 5), group_norm(1)),
    "pad/zero": ((2, 4, 5, 2), plain(F.pad, (2, 1, 0, 3))),
    "pad/reflect": ((2, 4, 5, 2), plain(F.pad, (2, 4, 0, 3), mode="reflect")),
    "pad/edge": ((2, 4, 5, 2), plain(F.pad, (2, 7, 0, 3), mode="replicate")),
    "pad/reflect_3d": ((1, 2, 3, 4, 2), plain(F.pad, (3, 2, 1, 2, 1, 1), mode="reflect")),
    "pad/edge_3d": ((1, 2, 3, 4, 2), plain(F.pad, (3, 2, 0, 2, 4, 1), mode="replicate")),
    "relu": ((2, 5, 7, 3), plain(F.relu)),
    "leaky_relu": ((2, 5, 7, 3), plain(F.leaky_relu, 0.2)),
    "elu": ((2, 5, 7, 3), plain(F.elu, 0.7)),
    "sigmoid": ((2, 5, 7, 3), plain(torch.sigmoid)),
    "tanh": ((2, 5, 7, 3), plain(torch.tanh)),
    "softplus": ((2, 5, 7, 3), plain(F.softplus)),
    "softmax": ((2, 3, 2, 5), plain(torch.softmax, 1)),
    "log_softmax": ((2, 3, 2, 5), plain(torch.log_softmax, 1)),
} | tensorflow_rules.CASES


def tensors():
    out = {}
    dtype = torch.float64
    for name, (shape, layer) in CASES.items():
        weights = Weights(dtype)
        x = (4.0 * mixed_tensor(shape, 0, dtype) - 2.0).requires_grad_()
        y = last(layer(first(x), lambda key, size: weights.ask("layer/" + key, size)))
        y.backward(2.0 * mixed_tensor(y.shape, GRADIENT, dtype) - 1.0)
        out[name + "/y"] = y.detach().numpy()
        out[name + "/dx"] = x.grad.numpy()
        for key, value in weights.items():
            if value.grad is not None:
                out[f"{name}/gradient/{key}"] = value.grad.numpy()
            elif not value.requires_grad:
                out[f"{name}/statistic/{key}"] = value.numpy()
    return out
