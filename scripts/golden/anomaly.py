"""What PyTorch makes of the anomaly system's trainings: tests/golden/anomaly.safetensors.

Ten steps of each method as apps/anomaly trains it, in double precision: the squared error within the
mask, the noise that the denoising one has to remove, the divergence with its warm-up, AdamW, and the
rates of a cosine with warm-up. "rates" are those of all steps of the schedule. Of every method: the
first batch as the network sees it ("noised"), the losses, and everything after the steps; of tensors
with more than 2000 numbers every seventh is kept. In double alone, for the
reason that networks.py gives.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from .mixed import Weights, first, mixed_tensor
from .networks import Net, convolutional, denoising, kept, philox, variational

STEPS, ALL_STEPS = 10, 80
IMAGE, MASK = 3000, 3100  # streams of the first step
NOISE_SEED, DEVIATION, GRID = 11, 0.3, 8
DIVERGENCE, WARM_UP, WARM_UP_PARTS = 0.1, 40, 32


class Random:
    """core/random.h"""

    def __init__(self, seed, stream):
        self.seed, self.stream, self.position = seed, stream, 0

    def bits64(self):
        """Two numbers of 32 bits, of which four make a block; the high one comes first."""
        block, lane = divmod(self.position, 4)
        self.position += 2
        numbers = philox((block, 0, self.stream, 0), self.seed)
        return numbers[lane] << 32 | numbers[lane + 1]

    def uniform(self):
        return (self.bits64() >> 11) * 2.0**-53

    def normal(self):
        radius = math.sqrt(-2 * math.log1p(-self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())

    def integer(self, n):
        return self.bits64() % n


def noise(shape, random):
    """Of one image [spatial...]: as many numbers along D as lie as close together as along W."""
    *depth, _, width = shape
    grid = [max(1, round(GRID * d / width)) for d in depth] + [GRID, GRID]
    coarse = [random.normal() * DEVIATION for _ in range(math.prod(grid))]
    fine = F.interpolate(torch.tensor(coarse, dtype=torch.float64).reshape(1, 1, *grid), size=shape,
                         mode={2: "bilinear", 3: "trilinear"}[len(shape)], align_corners=False)
    by = [-random.integer(n) for n in shape]
    return torch.roll(fine[0, 0], by, tuple(range(len(shape))))


def batch(shape, step, noised):
    """x, target and mask of [N, spatial..., 1]."""
    target = mixed_tensor(shape, IMAGE + step, torch.float64).float().double()
    mask = (mixed_tensor(shape, MASK + step, torch.float64) > 0.3).double()
    x = target.clone()
    if noised:
        for i in range(shape[0]):
            x[i, ..., 0] += noise(shape[1:-1], Random(NOISE_SEED, step * shape[0] + i))
        x = torch.where(mask > 0, x, target)
    return x, target, mask


def loss_of(outputs, target, mask, step):
    loss = (mask * (outputs["reconstruction"] - target) ** 2).sum() / mask.sum()
    if "mean" in outputs:
        mean, log_variance = outputs["mean"], outputs["log_variance"]
        divergence = (log_variance.exp() + mean**2 - 1 - log_variance).sum() / 2 / len(mean)
        parts = min(WARM_UP_PARTS, WARM_UP_PARTS * step // WARM_UP)
        loss = loss + DIVERGENCE * parts / WARM_UP_PARTS * divergence
    return loss


def of_method(network, shape):
    weights = Weights(torch.float64)
    network(Net(weights, False, 0), first(batch(shape, 0, False)[0]))  # which makes them
    trainable = weights.trainable()
    optimiser = torch.optim.AdamW(list(trainable.values()), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=1e-3, total_steps=ALL_STEPS, pct_start=0.025, div_factor=25,
        final_div_factor=1e4, cycle_momentum=False)
    rates, losses, out = [], [], {}
    for step in range(ALL_STEPS):
        rates.append(schedule.get_last_lr()[0])
        optimiser.zero_grad()
        if step < STEPS:
            x, target, mask = batch(shape, step, network is denoising)
            if step == 0:
                out["noised"] = kept(x)
            loss = loss_of(network(Net(weights, True, step), first(x)), target, mask, step)
            loss.backward()
            losses.append(loss.item())
        optimiser.step()  # without gradients it leaves the weights
        if step + 1 < ALL_STEPS:
            schedule.step()
    out["losses"] = np.array(losses)
    return np.array(rates), out | {"after_ten/" + name: kept(v) for name, v in weights.items()}


CASES = {
    "denoising": (denoising, (3, 16, 16, 1)),
    "ae": (convolutional, (3, 16, 16, 1)),
    "vae": (variational, (3, 16, 16, 1)),
    "denoising_3d": (denoising, (2, 8, 16, 16, 1)),
    "ae_3d": (convolutional, (2, 8, 16, 16, 1)),
    "vae_3d": (variational, (2, 8, 16, 16, 1)),
}


def tensors():
    out = {}
    for name, (network, shape) in CASES.items():
        rates, values = of_method(network, shape)
        print(f"{name}: losses {values['losses'][0]:.6f} to {values['losses'][-1]:.6f}")
        out |= {f"{name}/{key}": value for key, value in values.items()}
    return out | {"rates": rates}
