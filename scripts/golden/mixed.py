"""Numbers that both the scripts and the tests compute, and that need no room in the files."""

import math

import numpy as np
import torch


def mixed(count, stream):
    """`count` numbers in [0, 1), multiples of 2^-32."""
    mask = np.uint64(0xFFFFFFFF)
    x = (np.arange(count, dtype=np.uint64) + np.uint64(stream << 20)) & mask
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & mask
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2.0**32


def mixed_tensor(shape, stream, dtype):
    return torch.from_numpy(mixed(math.prod(shape), stream)).to(dtype).reshape(shape)


class Weights(dict):
    """Weights in ratnet's layout by name, made when they are first asked for: in the order of the
    graph's nodes, the first of stream 1."""

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def ask(self, name, shape):
        if name not in self:
            unit = mixed(math.prod(shape), len(self) + 1)
            kind = name.split("/")[-1]
            if kind in ("scale", "variance"):
                values = 0.5 + unit
            elif kind == "weight":
                values = (2.0 * unit - 1.0) * math.sqrt(6.0 / math.prod(shape[:-1]))
            else:
                values = (2.0 * unit - 1.0) * 0.1
            value = torch.from_numpy(values).to(self.dtype).reshape(shape)
            self[name] = value.requires_grad_(kind not in ("mean", "variance"))
        return self[name]

    def trainable(self):
        return {name: value for name, value in self.items() if value.requires_grad}

    def statistics(self):
        return {name: value for name, value in self.items() if not value.requires_grad}


def first(x):
    """Channels last to channels first."""
    return x.movedim(-1, 1)


def last(x):
    """Channels first to channels last."""
    return x.movedim(1, -1)


def kernel(weight):
    """[kernel..., in, out] to PyTorch's [out, in, kernel...]; of a transposed convolution
    [kernel..., out, in] to [in, out, kernel...]."""
    dims = weight.ndim - 2
    return weight.permute(dims + 1, dims, *range(dims))
