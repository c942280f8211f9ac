"""What PyTorch makes of the losses: tests/golden/losses.safetensors.

For each case, in double (layers.py says why): the loss and its gradient in what it looks at. The
cross-entropies are PyTorch's own, the divergence its distributions'; Dice and SSIM, which it does not
have, are written from their definitions, with its gradients. Labels of the last class and one more
stand for pixels without a label.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from .mixed import first, mixed, mixed_tensor

PREDICTION, TARGET, WEIGHTS, LABELS = 0, 1, 2, 3  # streams


def units(shape, stream):
    return mixed_tensor(shape, stream, torch.float64)


def wide(shape):
    return (8 * units(shape, PREDICTION) - 4).requires_grad_()


def labels(shape, classes):
    """As many as `classes` stands for none."""
    return torch.from_numpy((mixed(math.prod(shape), LABELS) * (classes + 1)).astype(np.int64)
                            ).reshape(shape)


def of_images(cost, weights=None):
    """The mean of what pixels cost, weighted."""

    def run(shape):
        x, target = wide(shape), 8 * units(shape, TARGET) - 4
        w = torch.ones(shape[:-1] + (1,)).double() if weights is None else weights(shape)
        w = w.expand(shape)
        return (w * cost(x, target)).sum() / w.sum(), [x]

    return run


def soft_weights(shape):
    return units(shape[:-1] + (1,), WEIGHTS)


def mask(shape):
    """Labels 0, 1 and 2, and none: 1 and 2 count."""
    value = (soft_weights(shape) * 4).floor()
    return ((value == 1) | (value == 2)).double()


def binary(positive_weight, soft=False):
    def run(shape):
        x, target = wide(shape), units(shape, TARGET)
        if soft:
            counts = torch.ones(shape, dtype=torch.bool)
        else:
            target = labels(shape, 2)
            counts = target < 2
        loss = F.binary_cross_entropy_with_logits(
            x[counts], target[counts].double(),
            pos_weight=torch.tensor(positive_weight, dtype=torch.float64))
        return loss, [x]

    return run


def cross_entropy(class_weights=None, smoothing=0.0):
    def run(shape):
        x, classes = wide(shape), shape[-1]
        weight = class_weights and torch.tensor(class_weights, dtype=torch.float64)
        loss = F.cross_entropy(first(x), labels(shape[:-1], classes), weight, ignore_index=classes,
                               label_smoothing=smoothing)
        return loss, [x]

    return run


def dice(smoothing=1e-5, per_sample=False, background=True):
    def run(shape):
        p, classes = units(shape, PREDICTION).requires_grad_(), shape[-1]
        label = labels(shape[:-1], max(2, classes))
        counts = (label < max(2, classes)).unsqueeze(-1).double()
        t = (label.unsqueeze(-1) == (torch.arange(classes) if classes > 1 else 1)).double()
        over = tuple(range(1 if per_sample else 0, p.ndim - 1))
        both, sums = (counts * p * t).sum(over), (counts * (p + t)).sum(over)
        score = (2 * both + smoothing) / (sums + smoothing)
        return 1 - score[..., 0 if background else 1:].mean(), [p]

    return run


def ssim(window=11, sigma=1.5, data_range=1.0):
    """Wang and others, 2004: statistics under a Gaussian window, where it lies inside."""

    def run(shape):
        y = data_range * units(shape, TARGET)
        x = (0.75 * y + 0.25 * data_range * units(shape, PREDICTION)).requires_grad_()
        dims = len(shape) - 2
        line = torch.exp(-(torch.arange(window).double() - window // 2) ** 2 / (2 * sigma**2))
        taps = line
        for _ in range(dims - 1):
            taps = taps.unsqueeze(-1) * line
        taps = (taps / taps.sum()).reshape(1, 1, *[window] * dims)
        convolve = (F.conv1d, F.conv2d, F.conv3d)[dims - 1]

        def mean(image):  # each channel by itself
            return convolve(first(image).flatten(0, 1).unsqueeze(1), taps)

        mx, my = mean(x), mean(y)
        vx, vy, covariance = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
        c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
        similarity = ((2 * mx * my + c1) * (2 * covariance + c2)
                      / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
        return 1 - similarity.mean(), [x]

    return run


def gaussian_kl(shape):
    mean = wide(shape)
    log_variance = (4 * units(shape, TARGET) - 2).requires_grad_()
    code = Normal(mean, torch.exp(log_variance / 2))
    divergence = kl_divergence(code, Normal(torch.tensor(0.0).double(), torch.tensor(1.0).double()))
    return divergence.sum() / shape[0], [mean, log_variance]


def squared(x, y):
    return (x - y) ** 2


def absolute(x, y):
    return F.l1_loss(x, y, reduction="none")


# name: the shape of what it looks at, channels last; the loss
CASES = {
    "mse": ((2, 5, 6, 2), of_images(squared)),
    "mse/weighted": ((2, 5, 6, 2), of_images(squared, soft_weights)),
    "mse/mask": ((2, 5, 6, 2), of_images(squared, mask)),
    "l1": ((2, 5, 6, 2), of_images(absolute)),
    "l1/weighted": ((2, 3, 4, 5, 1), of_images(absolute, soft_weights)),
    "l1/mask": ((2, 3, 4, 5, 1), of_images(absolute, mask)),
    "binary_cross_entropy": ((7, 1), binary(1.0)),
    "binary_cross_entropy/positive_weight": ((9, 1), binary(3.5)),
    "binary_cross_entropy/pixels": ((2, 5, 6, 1), binary(0.25)),
    "binary_cross_entropy/soft": ((2, 5, 6, 2), binary(3.5, soft=True)),
    "cross_entropy": ((7, 3), cross_entropy()),
    "cross_entropy/weights": ((9, 3), cross_entropy([1.0, 3.0, 0.5])),
    "cross_entropy/pixels": ((2, 5, 6, 4), cross_entropy([1.0, 3.0, 0.5, 2.0], 0.2)),
    "cross_entropy/volume": ((2, 3, 4, 5, 2), cross_entropy(smoothing=0.1)),
    "dice": ((2, 5, 6, 3), dice()),
    "dice/smoothing": ((2, 5, 6, 3), dice(2.0)),
    "dice/per_sample": ((3, 5, 6, 3), dice(per_sample=True)),
    "dice/foreground": ((2, 5, 6, 3), dice(background=False)),
    "dice/all": ((2, 3, 4, 5, 3), dice(0.5, True, False)),
    "dice/one_class": ((3, 5, 6, 1), dice(0.5, True)),
    "ssim": ((2, 13, 12, 2), ssim()),
    "ssim/options": ((2, 7, 9, 1), ssim(5, 0.8, 4.0)),
    "ssim/volume": ((1, 4, 5, 6, 2), ssim(3, 1.0)),
    "ssim/line": ((2, 15, 2), ssim(7)),
    "gaussian_kl": ((4, 6), gaussian_kl),
    "gaussian_kl/image": ((2, 3, 4, 2), gaussian_kl),
}


def tensors():
    out = {}
    for name, (shape, loss_of) in CASES.items():
        loss, inputs = loss_of(shape)
        loss.backward()
        out[name + "/loss"] = loss.detach().reshape(1).numpy()
        for i, x in enumerate(inputs):
            out[f"{name}/gradient{i}"] = x.grad.numpy()
    return out
