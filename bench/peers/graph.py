"""The network of a model file, as the contenders read it."""

import json
from pathlib import Path

from weights import load_weights


def load_graph(path):
    """(nodes, weights by name), without the softmax at the end: logits show more of the rounding
    than probabilities, and losses take them."""
    content = Path(path).read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    graph = json.loads(header["__metadata__"]["ratnet"])["graph"]
    nodes = graph["nodes"]
    if graph["outputs"] != [nodes[-1]["name"]]:
        raise SystemExit(f"{path}: the last node has to be the only output")
    return nodes[:-1] if nodes[-1]["kind"] == "softmax" else nodes, load_weights(path)


def sliding(node):
    """(stride, padding on both sides) of a convolution; of a transposed one what it takes away."""
    kernel, stride = node.get("kernel", [3])[0], node.get("stride", [1])[0]
    if node["kind"] == "conv_transpose":
        return node.get("stride", [2])[0], node.get("pad_before", [0])[0]
    pad = node.get("pad_before", [kernel // 2])[0]
    symmetric = node.get("pad_after", [pad])[0] == pad
    fits = "pad_before" in node or stride == 1 and kernel % 2 == 1
    plain = len(node["inputs"]) == 1 and "activation" not in node and "pool" not in node
    if not symmetric or not fits or not plain:
        raise SystemExit(f"{node['name']}: a convolution that no contender runs here")
    return stride, pad


def last_uses(nodes):
    """By name of each node: the values that nobody reads after it."""
    last = {}
    for node in nodes[1:]:
        last.update({name: node["name"] for name in node["inputs"]})
    return {node["name"]: [name for name in last if last[name] == node["name"]] for node in nodes}


def layer_graph(layer, weight):
    """(nodes, weights) of a network of one convolution."""
    node = {
        "name": "layer",
        "kind": "conv_transpose" if layer.transposed else "conv",
        "inputs": ["x"],
        "out": layer.out,
        "kernel": [layer.kernel],
        "stride": [layer.stride],
        "pad_before": [layer.pad],
        "pad_after": [layer.pad],
        "bias": False,
    }
    return [{"name": "x", "kind": "input", "shape": layer.x_shape[1:]}, node], {
        "layer/weight": weight
    }
