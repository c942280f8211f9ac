"""Training steps in PyTorch, of a graph and losses that ratnet describes."""

import torch
import torch.nn.functional as F

from golden.mixed import Weights, first

from .interpreter import Interpreter


def dice(p, labels):
    t = first(F.one_hot(labels, p.shape[1])).to(p.dtype)
    over = (0, *range(2, p.ndim))
    score = (2 * (p * t).sum(over) + 1e-5) / (p.sum(over) + t.sum(over) + 1e-5)
    return 1 - score.mean()


def divergence(mean, log_variance):
    return (log_variance.exp() + mean**2 - 1 - log_variance).sum() / 2 / len(mean)


def total_loss(objective, values, images, target):
    total = 0
    for term in objective:
        y = values[term["output"]]
        if term["kind"] == "mse":
            loss = F.mse_loss(y, first(images))
        elif term["kind"] == "gaussian_kl":
            loss = divergence(y, values[term["log_variance"]])
        else:
            loss = (dice if term["kind"] == "dice" else F.cross_entropy)(y, target)
        total = total + term.get("weight", 1) * loss
    return total


class Training:
    """The same steps in PyTorch, in one precision."""

    def __init__(self, row, graph, images, targets, weights, dtype):
        _, _, self.objective, self.batch, _, optimiser, rate, decay = row
        self.weights = Weights(dtype)
        for name, value in weights.items():
            self.weights[name] = value.detach().to(dtype, copy=True).requires_grad_(
                value.requires_grad)
        self.network = Interpreter(graph, self.weights)
        self.images = torch.from_numpy(images).to(dtype)
        self.target = next((torch.from_numpy(v).long() for v in targets.values()), None)
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimiser]
        self.optimiser = kind(list(self.weights.trainable().values()), lr=rate, weight_decay=decay)

    def losses(self, steps):
        out = []
        for step in range(steps):
            at = step * self.batch % len(self.images)
            images = self.images[at:at + self.batch]
            target = None if self.target is None else self.target[at:at + self.batch]
            self.optimiser.zero_grad()
            loss = total_loss(self.objective, self.network(images, step), images, target)
            loss.backward()
            self.optimiser.step()
            out.append(loss.item())
        return out
