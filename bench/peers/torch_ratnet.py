"""RatNet as a PyTorch module."""

import torch
from torch import nn

from weights import load_weights


class RatNet(nn.Module):
    """Gives logits; MODEL has the weights it starts from."""

    def __init__(self, path):
        super().__init__()
        self.conv = nn.ModuleList(nn.Conv2d(c, 32, 3, padding=1) for c in (1, 32, 32))
        self.dense = nn.Linear(2048, 128)
        self.logits = nn.Linear(128, 2)
        self.pool = nn.MaxPool2d(2)
        weights = {name: torch.from_numpy(value) for name, value in load_weights(path).items()}
        with torch.no_grad():
            for i, conv in enumerate(self.conv, 1):
                conv.weight.copy_(weights[f"conv{i}/weight"].permute(3, 2, 0, 1))
                conv.bias.copy_(weights[f"conv{i}/bias"])
            for name in ("dense", "logits"):
                layer = getattr(self, name)
                layer.weight.copy_(weights[f"{name}/weight"].T)
                layer.bias.copy_(weights[f"{name}/bias"])

    def forward(self, x):
        for conv in self.conv:
            x = self.pool(torch.relu_(conv(x)))
        # Channels last in memory: this order costs no copy.
        x = x.permute(0, 2, 3, 1).flatten(1)
        return self.logits(torch.relu_(self.dense(x)))
