"""A network of graph.py as a PyTorch module."""

import torch
import torch.nn.functional as F
from torch import nn

from graph import last_uses, load_graph, sliding

CONV = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
POOL = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def kernel(weight):
    """[kernel..., a, b] to PyTorch's [b, a, kernel...]."""
    dims = weight.ndim - 2
    return weight.permute(dims + 1, dims, *range(dims))


class Network(nn.Module):
    """x [N, C, spatial...], channels last in memory, to what the graph gives, in the same order;
    logits in place of probabilities. folded: for inference, where batch normalisations are part of
    the convolutions before them."""

    def __init__(self, path, folded=False):
        super().__init__()
        nodes, values = load_graph(path)
        self.nodes, self.dims = nodes[1:], len(nodes[0]["shape"]) - 1
        self.first, self.done = nodes[0]["name"], last_uses(nodes)
        channels = {self.first: nodes[0]["shape"][-1]}
        for node in self.nodes:
            name = node["name"]
            channels[name] = sum(channels[each] for each in node["inputs"])
            own = {key[len(name) + 1 :]: torch.from_numpy(value) for key, value in values.items()
                   if key.startswith(name + "/")}
            layer = self.made(node, own)
            if layer:
                self.add_module(name, layer)
            if "weight" in own:
                channels[name] = node.get("out", 1)
        self.to(memory_format=LAST[self.dims])
        if folded:
            self.eval()
            self.fold()

    def made(self, node, own):
        kind = node["kind"]
        with torch.no_grad():
            if kind in ("conv", "conv_transpose"):
                weight = kernel(own["weight"])
                stride, pad = sliding(node)
                ends = weight.shape[:2]
                size, bias = weight.shape[2], "bias" in own
                if kind == "conv":
                    layer = CONV[self.dims](ends[1], ends[0], size, stride, pad, bias=bias)
                else:
                    layer = TRANSPOSED[self.dims](
                        *ends, size, stride, pad, 2 * pad + stride - size, bias=bias)
                layer.weight.copy_(weight)
            elif kind == "dense":
                layer = nn.Linear(*own["weight"].shape)
                layer.weight.copy_(own["weight"].T)
            elif kind == "batch_norm":
                layer = NORM[self.dims](len(own["scale"]))
                layer.weight.copy_(own["scale"])
                layer.bias.copy_(own["shift"])
                layer.running_mean.copy_(own["mean"])
                layer.running_var.copy_(own["variance"])
            elif kind == "max_pool":
                layer = POOL[self.dims](2)
            else:
                return None
            if "bias" in own:
                layer.bias.copy_(own["bias"])
        return layer

    def fold(self):
        for node in self.nodes:
            if node["kind"] == "batch_norm":
                conv, norm = node["inputs"][0], node["name"]
                self.add_module(conv, nn.utils.fusion.fuse_conv_bn_eval(
                    self.get_submodule(conv), self.get_submodule(norm)))
                self.add_module(norm, nn.Identity())

    def forward(self, x):
        values = {self.first: x}
        for node in self.nodes:
            name, kind = node["name"], node["kind"]
            inputs = [values[each] for each in node["inputs"]]
            for each in self.done[name]:
                del values[each]
            if kind == "relu":
                value = torch.relu_(inputs[0])
            elif kind == "concat":
                value = torch.cat(inputs, 1)
            elif kind == "upsample":
                value = F.interpolate(inputs[0], scale_factor=2, mode="nearest")
            elif kind == "flatten":
                # Channels last in memory: this order costs no copy.
                value = inputs[0].movedim(1, -1).flatten(1)
            elif kind == "dropout":
                value = inputs[0]
            else:
                value = self._modules[name](inputs[0])
            values[name] = value
        return value


def loss_of(outputs, images, targets):
    """targets: of labels or masks; None: the images are what the outputs are compared with."""
    if targets is None:
        return F.mse_loss(outputs, images)
    return F.cross_entropy(outputs, targets)


class Steps:
    """Training steps with Adam on one batch, as `steps` of peer_networks.cpp."""

    def __init__(self, network, images, targets):
        self.network, self.targets = network.train(), targets
        self.images = images.contiguous(memory_format=LAST[images.ndim - 2])
        self.optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def __call__(self):
        self.optimiser.zero_grad(set_to_none=True)
        loss = loss_of(self.network(self.images), self.images, self.targets)
        loss.backward()
        self.optimiser.step()
        return loss.item()
