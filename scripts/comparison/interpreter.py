"""Runs a graph in PyTorch as its JSON describes it, in training."""

import torch
import torch.nn.functional as F

from golden.mixed import first, kernel, last
from golden.networks import CONV, POOL, TRANSPOSED, normals


class Interpreter:
    """Runs a graph on channels first; flat values are in ratnet's order, channels fastest."""

    def __init__(self, graph, weights):
        self.nodes, self.weights = graph["nodes"], weights

    def __call__(self, images, step):
        values = {}
        for index, node in enumerate(self.nodes):
            inputs = [values[name] for name in node.get("inputs", [])] or [images]
            run = getattr(self, node["kind"], None)
            if run is None:
                raise SystemExit(f"{node['name']}: no layer '{node['kind']}' here")
            values[node["name"]] = run(node, *inputs, index=index, step=step)
        return values

    def ask(self, node, weight, shape):
        return self.weights.ask(f"{node['name']}/{weight}", shape)

    def input(self, node, x, **_):
        return first(x)

    def conv(self, node, x, **_):
        dims = x.ndim - 2
        size, stride = node.get("kernel", [3]), node.get("stride", [1])
        pad = node.get("pad_before", [size[0] // 2])
        if (len(size) > 1 and size != size[:1] * dims or size[0] % 2 == 0
                or pad != node.get("pad_after", pad) or stride != [1] and "pad_before" not in node):
            raise SystemExit(f"{node['name']}: other sizes than the networks have")
        weight = self.ask(node, "weight", (size[0],) * dims + (x.shape[1], node.get("out", 1)))
        bias = self.ask(node, "bias", (node.get("out", 1),)) if node.get("bias", True) else None
        return CONV[dims](x, kernel(weight), bias, stride=stride[0], padding=pad[0])

    def conv_transpose(self, node, x, **_):
        dims = x.ndim - 2
        weight = self.ask(node, "weight", (2,) * dims + (node.get("out", 1), x.shape[1]))
        bias = self.ask(node, "bias", (node.get("out", 1),))
        return TRANSPOSED[dims](x, kernel(weight), bias, stride=2)

    def batch_norm(self, node, x, **_):
        scale, shift, mean, variance = (
            self.ask(node, kind, (x.shape[1],)) for kind in ("scale", "shift", "mean", "variance"))
        return F.batch_norm(x, mean, variance, scale, shift, True)

    def dense(self, node, x, **_):
        weight = self.ask(node, "weight", (x.shape[1], node.get("out", 1)))
        return x @ weight + self.ask(node, "bias", (node.get("out", 1),))

    def dropout(self, node, x, **_):
        if node.get("probability", 0.5) != 0:
            raise SystemExit(f"{node['name']}: two libraries do not drop the same numbers")
        return x

    def gaussian_sample(self, node, mean, log_variance, index, step):
        e = normals(mean.numel(), step, index).reshape(mean.shape).to(mean.dtype)
        return mean + torch.exp(log_variance / 2) * e

    def reshape(self, node, x, **_):
        return first(x.reshape(-1, *node["shape"]))

    def flatten(self, node, x, **_):
        return last(x).flatten(1)

    def max_pool(self, node, x, **_):
        return POOL[x.ndim - 2](x, 2)

    def global_pool(self, node, x, **_):
        return x.mean(tuple(range(2, x.ndim)))

    def upsample(self, node, x, **_):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def concat(self, node, *inputs, **_):
        return torch.cat(inputs, 1)

    def relu(self, node, x, **_):
        return F.relu(x)

    def softmax(self, node, x, **_):
        return torch.softmax(x, 1)
