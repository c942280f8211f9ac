"""What PyTorch makes of the systems' networks, made small: tests/golden/networks.safetensors.

The networks stand here a second time, written from their descriptions (apps/*/). For each, in
double precision, which holds ratnet's single precision to account, too (PyTorch's own is up to
1.2e-3 of the largest number away from it after ten steps of conv5_fc3, of the others 3e-5): the
outputs with the initial statistics of the batch normalisations ("infer"); then of one training pass
the outputs, the loss, the gradients of all weights and of the input, and the statistics; then
everything after ten steps of AdamW. Of tensors with more than 2000 numbers every seventh is kept.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from .mixed import Weights, first, kernel, last, mixed, mixed_tensor

STEPS = 10
TARGET, MASK, LABELS = 2000, 2001, 2002  # streams
SEED = 7  # of the variational autoencoder's samples
CODE_NODE = 13  # the place of its node "code" in the graph

CONV = {2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {2: F.conv_transpose2d, 3: F.conv_transpose3d}
POOL = {2: F.max_pool2d, 3: F.max_pool3d}


def philox(counter, key):
    """Philox4x32-10 (Salmon and others, 2011)."""
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    c = list(counter)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k0, b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k1, a & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c


def normals(count, step, node=CODE_NODE):
    """What GaussianSample draws (kernels/gaussian_sample.h)."""
    values = []
    for block in range((count + 3) // 4):
        u = [(bits + 0.5) / 2.0**32 for bits in philox((block, step, node, 0), SEED)]
        for radius, turn in (u[:2], u[2:]):
            length = math.sqrt(-2.0 * math.log(radius))
            values += [length * math.cos(2 * math.pi * turn), length * math.sin(2 * math.pi * turn)]
    return torch.tensor(values[:count], dtype=torch.float64)


class Net:
    """The layers, on channels first."""

    def __init__(self, weights, training, step):
        self.weights, self.training, self.step = weights, training, step

    def conv(self, name, x, out, size=3, stride=1, bias=True):
        dims = x.ndim - 2
        weight = self.weights.ask(name + "/weight", (size,) * dims + (x.shape[1], out))
        bias = self.weights.ask(name + "/bias", (out,)) if bias else None
        return CONV[dims](x, kernel(weight), bias, stride=stride, padding=size // 2)

    def block(self, place, number, x, out, stride=1):
        x = self.conv(f"{place}/conv{number}", x, out, stride=stride, bias=False)
        scale, shift, mean, variance = (
            self.weights.ask(f"{place}/norm{number}/{kind}", (out,))
            for kind in ("scale", "shift", "mean", "variance"))
        return F.relu(F.batch_norm(x, mean, variance, scale, shift, self.training))

    def two_blocks(self, place, x, out, stride=1):
        return self.block(place, 2, self.block(place, 1, x, out, stride), out)

    def dense(self, name, x, out):
        weight = self.weights.ask(name + "/weight", (x.shape[1], out))
        return x @ weight + self.weights.ask(name + "/bias", (out,))

    def transposed(self, name, x, out):
        dims = x.ndim - 2
        weight = self.weights.ask(name + "/weight", (2,) * dims + (out, x.shape[1]))
        bias = self.weights.ask(name + "/bias", (out,))
        return TRANSPOSED[dims](x, kernel(weight), bias, stride=2)


def denoising(net, x):
    widths, skips, channels = (4, 6, 8), [], x.shape[1]
    for i, width in enumerate(widths, 1):
        x = net.two_blocks(f"enc{i}", x, width, 1 if i == 1 else 2)
        skips.append(x)
    for i in (2, 1):
        x = torch.cat([skips[i - 1], F.interpolate(x, scale_factor=2, mode="nearest")], 1)
        x = net.two_blocks(f"dec{i}", x, widths[i - 1])
    return {"reconstruction": last(net.conv("reconstruction", x, channels, 1))}


def encoded(net, x):
    for i, width in enumerate((4, 5, 6), 1):
        x = net.block(f"enc{i}", "", x, width, 2)
    return last(x).flatten(1)


def decoded(net, code, size):
    deepest = [n // 8 for n in size] + [6]
    x = F.relu(net.dense("dec/dense", code, math.prod(deepest)))
    x = first(x.reshape(-1, *deepest))
    for i, width in ((3, 5), (2, 4), (1, 4)):
        x = net.block(f"dec{i}", "", F.interpolate(x, scale_factor=2, mode="nearest"), width)
    return last(net.conv("reconstruction", x, 1, 1))


def convolutional(net, x):
    return {"reconstruction": decoded(net, net.dense("code", encoded(net, x), 5), x.shape[2:])}


def variational(net, x):
    features = encoded(net, x)
    mean = net.dense("mean", features, 5)
    log_variance = net.dense("log_variance", features, 5)
    code = mean
    if net.training:
        e = normals(mean.numel(), net.step).reshape(mean.shape).to(mean.dtype)
        code = mean + torch.exp(log_variance / 2) * e
    return {"reconstruction": decoded(net, code, x.shape[2:]), "mean": mean, "log_variance": log_variance}


def series(net, x):
    for i, width in enumerate((4, 5, 6), 1):
        x = F.max_pool2d(net.block(f"block{i}", "", x, width), 2)
    return {"logits": net.dense("logits", x.mean((2, 3)), 3)}


def conv5_fc3(net, x):
    for i, width in enumerate((2, 3, 4, 5, 6), 1):
        x = F.max_pool3d(net.block(f"block{i}", "", x, width), 2)
    x = last(x).flatten(1)
    for i, width in enumerate((7, 5), 1):
        x = F.relu(net.dense(f"fc{i}", x, width))
    return {"logits": net.dense("logits", x, 2)}


def unet(widths, classes):
    def run(net, x):
        y, skips = x, []
        for i, width in enumerate(widths, 1):
            y = net.two_blocks(f"enc{i}", y, width)
            skips.append(y)
            if i < len(widths):
                y = POOL[x.ndim - 2](y, 2)
        for i in range(len(widths) - 1, 0, -1):
            y = net.transposed(f"dec{i}/up", y, widths[i - 1])
            y = net.two_blocks(f"dec{i}", torch.cat([skips[i - 1], y], 1), widths[i - 1])
        logits = net.conv("logits", y, classes, 1)
        return {"logits": last(logits), "probability": last(torch.softmax(logits, 1))}

    return run


def squared(outputs):
    y = outputs["reconstruction"]
    return F.mse_loss(y, mixed_tensor(y.shape, TARGET, y.dtype))


def masked(outputs):
    y = outputs["reconstruction"]
    error = (y - mixed_tensor(y.shape, TARGET, y.dtype)) ** 2
    mask = (mixed_tensor(y.shape[:-1] + (1,), MASK, y.dtype) > 0.3).to(y.dtype).expand_as(y)
    return (error * mask).sum() / mask.sum()


def squared_and_divergence(outputs):
    mean, log_variance = outputs["mean"], outputs["log_variance"]
    divergence = (log_variance.exp() + mean**2 - 1 - log_variance).sum() / 2 / len(mean)
    return squared(outputs) + 0.1 * divergence


def labels_of(logits):
    """[N, spatial...], on channels last."""
    shape, classes = logits.shape[:-1], logits.shape[-1]
    return torch.from_numpy((mixed(math.prod(shape), LABELS) * classes).astype(np.int64)).reshape(
        shape)


def cross_entropy(outputs):
    logits = outputs["logits"]
    return F.cross_entropy(first(logits), labels_of(logits), label_smoothing=0.1)


def weighted_cross_entropy(outputs):
    logits = outputs["logits"]
    weight = torch.tensor([1.0, 3.0], dtype=logits.dtype)
    return F.cross_entropy(first(logits), labels_of(logits), weight)


def dice_and_cross_entropy(outputs):
    logits, p = outputs["logits"], outputs["probability"]
    labels = labels_of(logits)
    t = F.one_hot(labels, logits.shape[-1]).to(p.dtype)
    over = tuple(range(p.ndim - 1))
    score = (2 * (p * t).sum(over) + 1e-5) / (p.sum(over) + t.sum(over) + 1e-5)
    return 1 - score.mean() + F.cross_entropy(first(logits), labels)


# name: network, loss, shape of the input
NETWORKS = {
    "denoising": (denoising, masked, (3, 16, 16, 2)),
    "convolutional": (convolutional, squared, (3, 16, 16, 1)),
    "variational": (variational, squared_and_divergence, (3, 16, 16, 1)),
    "series": (series, cross_entropy, (3, 20, 20, 1)),
    "conv5_fc3": (conv5_fc3, weighted_cross_entropy, (2, 32, 32, 72, 1)),
    "unet": (unet((3, 4, 5, 6), 3), dice_and_cross_entropy, (2, 16, 16, 3)),
    "unet_3d": (unet((2, 3, 4), 2), dice_and_cross_entropy, (2, 8, 8, 12, 1)),
}


def kept(value):
    flat = value.detach().numpy().ravel()
    return flat[::7].copy() if len(flat) > 2000 else flat.copy()


def of_network(network, loss_of, shape):
    dtype = torch.float64
    weights = Weights(dtype)
    x = mixed_tensor(shape, 0, dtype).requires_grad_()
    out = {}
    with torch.no_grad():
        for name, value in network(Net(weights, False, 0), first(x)).items():
            out["infer/" + name] = kept(value)

    trainable = weights.trainable()
    optimiser = torch.optim.AdamW(list(trainable.values()), lr=2e-3, weight_decay=0.05)
    losses = []
    for step in range(STEPS):
        optimiser.zero_grad()
        outputs = network(Net(weights, True, step), first(x))
        loss = loss_of(outputs)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            out |= {"output/" + name: kept(value) for name, value in outputs.items()}
            out |= {"gradient/" + name: kept(value.grad) for name, value in trainable.items()}
            out |= {"statistic/" + name: kept(v) for name, v in weights.statistics().items()}
            out["input_gradient"] = kept(x.grad)
        optimiser.step()
    out["losses"] = np.array(losses)
    return out | {"after_ten/" + name: kept(value) for name, value in weights.items()}


def tensors():
    out = {}
    for name, (network, loss_of, shape) in NETWORKS.items():
        values = of_network(network, loss_of, shape)
        print(f"{name}: losses {values['losses'][0]:.6f} to {values['losses'][-1]:.6f}")
        out |= {f"{name}/{key}": value for key, value in values.items()}
    return out
