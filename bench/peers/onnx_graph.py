"""A network of graph.py as an ONNX model."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

from graph import sliding


class Builder:
    """ONNX has channels first; the rows of a dense layer behind a flattened image are put in the
    order in which that flattens."""

    def __init__(self, nodes, weights):
        self.weights, self.tensors, self.made = weights, [], []
        first = nodes[0]
        self.sizes = {first["name"]: tuple(first["shape"])}  # spatial..., channels
        self.flattened = {}
        for node in nodes[1:]:
            getattr(self, node["kind"])(node, *node["inputs"])

    def add(self, op, node, inputs, shape, **attributes):
        name = node["name"]
        self.sizes[name] = tuple(shape)
        self.made.append(helper.make_node(op, inputs, [name], name=name, **attributes))

    def tensor(self, node, kind, value):
        name = f"{node['name']}/{kind}"
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def own(self, node, *kinds):
        """The names of the node's own tensors, as they are."""
        held = [kind for kind in kinds if f"{node['name']}/{kind}" in self.weights]
        return [self.tensor(node, kind, self.weights[f"{node['name']}/{kind}"]) for kind in held]

    def convolution(self, node, x, op, size, **more):
        weight = self.weights[node["name"] + "/weight"]
        dims = weight.ndim - 2
        stride, pad = sliding(node)
        turned = weight.transpose(dims + 1, dims, *range(dims))
        inputs = [x, self.tensor(node, "weight", turned), *self.own(node, "bias")]
        sizes = [size(n, weight.shape[0], stride, pad) for n in self.sizes[x][:-1]]
        more = {key: [value(weight.shape[0], stride, pad)] * dims for key, value in more.items()}
        self.add(op, node, inputs, (*sizes, node.get("out", 1)), kernel_shape=weight.shape[:dims],
                 strides=[stride] * dims, pads=[pad] * 2 * dims, **more)

    def conv(self, node, x):
        self.convolution(node, x, "Conv", lambda n, k, s, p: (n + 2 * p - k) // s + 1)

    def conv_transpose(self, node, x):
        self.convolution(node, x, "ConvTranspose", lambda n, k, s, p: n * s,
                         output_padding=lambda k, s, p: 2 * p + s - k)

    def batch_norm(self, node, x):
        inputs = [x, *self.own(node, "scale", "shift", "mean", "variance")]
        self.add("BatchNormalization", node, inputs, self.sizes[x],
                 epsilon=node.get("epsilon", 1e-5))

    def relu(self, node, x):
        self.add("Relu", node, [x], self.sizes[x])

    def dropout(self, node, x):
        self.add("Identity", node, [x], self.sizes[x])
        self.flattened[node["name"]] = self.flattened.get(x)

    def max_pool(self, node, x):
        *sizes, channels = self.sizes[x]
        twos = [2] * len(sizes)
        self.add("MaxPool", node, [x], (*[n // 2 for n in sizes], channels), kernel_shape=twos,
                 strides=twos)

    def upsample(self, node, x):
        *sizes, channels = self.sizes[x]
        scales = np.array([1, 1, *[2] * len(sizes)], np.float32)
        self.add("Resize", node, [x, "", self.tensor(node, "scales", scales)],
                 (*[2 * n for n in sizes], channels), mode="nearest", nearest_mode="floor",
                 coordinate_transformation_mode="asymmetric")

    def concat(self, node, *inputs):
        channels = sum(self.sizes[x][-1] for x in inputs)
        self.add("Concat", node, inputs, (*self.sizes[inputs[0]][:-1], channels), axis=1)

    def flatten(self, node, x):
        self.add("Flatten", node, [x], [np.prod(self.sizes[x])])
        self.flattened[node["name"]] = self.sizes[x]

    def dense(self, node, x):
        rows = self.weights[node["name"] + "/weight"]
        if image := self.flattened.get(x):
            rows = np.moveaxis(rows.reshape(*image, -1), -2, 0).reshape(rows.shape)
        inputs = [x, self.tensor(node, "weight", rows), *self.own(node, "bias")]
        self.add("Gemm", node, inputs, [rows.shape[1]])


def network(nodes, weights):
    """Input: the first node's name, [N, C, spatial...]; output: the last one's."""
    built = Builder(nodes, weights)

    def value(name):
        *sizes, channels = built.sizes[name]
        single = onnx.TensorProto.FLOAT
        return helper.make_tensor_value_info(name, single, ["n", channels, *sizes])

    ends = [value(nodes[0]["name"])], [value(nodes[-1]["name"])]
    graph = helper.make_graph(built.made, "network", *ends, built.tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()
