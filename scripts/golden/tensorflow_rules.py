"""Layers that follow TensorFlow's rules where they are not PyTorch's, written in PyTorch by formula:
part of tests/golden/layers.safetensors. scripts/check_golden_tensorflow holds them to TensorFlow.
"""

import torch
import torch.nn.functional as F

from .mixed import kernel

CONV = (F.conv1d, F.conv2d, F.conv3d)
TRANSPOSED = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
MAX_POOL = (F.max_pool1d, F.max_pool2d, F.max_pool3d)
AVG_POOL = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)
OUT = 3  # channels of convolutions

# name: the shape of x, channels last; kernel; stride. What stands before _ is the kind.
SAME = {
    "conv_1d": ((2, 7, 3), (3,), (2,)),
    "conv_odd": ((2, 7, 8, 3), (3, 5), (2, 2)),
    "conv_even": ((2, 7, 8, 2), (4, 2), (2, 2)),
    "conv_thirds": ((1, 10, 11, 2), (2, 4), (3, 3)),
    "conv_gaps": ((2, 7, 8, 3), (1, 1), (2, 2)),
    "conv_3d": ((1, 5, 6, 7, 2), (3, 2, 4), (2, 2, 3)),
    "max_1d": ((2, 8, 3), (3,), (2,)),
    "max_odd": ((2, 7, 8, 3), (3, 3), (2, 2)),
    "max_even": ((2, 7, 9, 3), (2, 4), (2, 2)),
    "max_thirds": ((1, 10, 11, 2), (2, 5), (3, 3)),
    "max_3d": ((1, 5, 6, 7, 2), (3, 2, 4), (2, 2, 3)),
    "avg_1d": ((2, 8, 3), (3,), (2,)),
    "avg_odd": ((2, 7, 8, 3), (3, 3), (2, 2)),
    "avg_even": ((2, 7, 9, 3), (2, 4), (2, 2)),
    "avg_thirds": ((1, 10, 11, 2), (2, 5), (3, 3)),
    "avg_3d": ((1, 5, 6, 7, 2), (3, 2, 4), (2, 2, 3)),
    "transposed_1d": ((2, 5, 3), (3,), (2,)),
    "transposed_odd": ((2, 5, 7, 2), (3, 5), (2, 2)),
    "transposed_even": ((2, 5, 3, 2), (4, 2), (3, 2)),
    "transposed_once": ((2, 5, 3, 2), (2, 4), (1, 1)),
    "transposed_gaps": ((1, 3, 5, 2), (2, 1), (3, 2)),
    "transposed_3d": ((1, 3, 2, 5, 2), (3, 2, 4), (2, 2, 3)),
}

# name: the shape of x; factors; whether linear; the place on the input
RESIZED = {
    "nearest_top_left": ((2, 3, 4, 2), (3, 2), False, "top_left"),
    "nearest_corners": ((2, 3, 4, 2), (3, 2), False, "corners"),
    "bilinear_top_left": ((2, 3, 4, 2), (2, 3), True, "top_left"),
    "trilinear_top_left": ((1, 2, 3, 4, 2), (2, 2, 3), True, "top_left"),
}


def totals(sizes, size, stride):
    """Padding along each dimension, of which the smaller half comes first."""
    return [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(sizes, size, stride)]


def padded(x, pads, value=0.0):
    """pads: (before, after) along each dimension, negative to cut; F.pad has the last one first."""
    return F.pad(x, [n for pair in reversed(pads) for n in pair], value=value)


def same(kind, size, stride):
    dims = len(size)

    def fitted(x, value):
        return padded(x, [(t // 2, t - t // 2) for t in totals(x.shape[2:], size, stride)], value)

    def conv(x, ask):
        weight = ask("weight", size + (x.shape[1], OUT))
        return CONV[dims - 1](fitted(x, 0), kernel(weight), ask("bias", (OUT,)), stride=stride)

    def transposed(x, ask):
        """All that the kernel reaches, cut to stride times the input, or zeros put behind it."""
        weight = ask("weight", size + (OUT, x.shape[1]))
        y = TRANSPOSED[dims - 1](x, kernel(weight), stride=stride)
        before = [max(0, k - s) // 2 for k, s in zip(size, stride)]
        y = padded(y, [(-b, s * n - m + b)
                       for b, s, n, m in zip(before, stride, x.shape[2:], y.shape[2:])])
        return y + ask("bias", (OUT,)).reshape(OUT, *[1] * dims)

    def maximum(x, ask):
        return MAX_POOL[dims - 1](fitted(x, -torch.inf), size, stride)

    def mean(x, ask):
        """Of what is not padding."""
        inside = AVG_POOL[dims - 1](fitted(torch.ones_like(x), 0), size, stride)
        return AVG_POOL[dims - 1](fitted(x, 0), size, stride) / inside

    return {"conv": conv, "transposed": transposed, "max": maximum, "avg": mean}[kind]


def resized(factors, linear, align):
    def run(x, ask):
        if linear:
            return sampled(x, factors)
        for d, f in enumerate(factors, 2):
            n = x.shape[d]
            i = torch.arange(n * f)
            if align == "top_left":
                x = x.index_select(d, i // f)
            else:  # i (n - 1) / (n f - 1), rounded
                x = x.index_select(d, (2 * i * (n - 1) + n * f - 1) // (2 * (n * f - 1)))
        return x

    return run


def sampled(x, factors):
    """Where i / f lies on the input, which grid_sample has from -1 to 1, the last dimension first."""
    lines = [torch.arange(n * f, dtype=x.dtype) / f * 2 / (n - 1) - 1
             for n, f in zip(x.shape[2:], factors)]
    grid = torch.stack(torch.meshgrid(*lines, indexing="ij")[::-1], -1)
    return F.grid_sample(x, grid.expand(len(x), *grid.shape), padding_mode="border",
                         align_corners=True)


CASES = {f"same/{name}": (shape, same(name.split("_")[0], size, stride))
         for name, (shape, size, stride) in SAME.items()}
CASES |= {f"upsample/{name}": (shape, resized(*how)) for name, (shape, *how) in RESIZED.items()}
