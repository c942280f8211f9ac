"""RatNet as an ONNX model."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def network(weights, pixels=False, logits=False):
    """The graph as ONNX likes it best: channels first, and the rows of the dense layer put in the
    order in which that flattens. pixels: takes u8 and a factor for each slice. logits: gives these
    in place of probabilities."""
    tensors, nodes, last = [], [], "image"

    def add(op, name, inputs, **attributes):
        nonlocal last
        nodes.append(helper.make_node(op, [last, *inputs], [name], name=name, **attributes))
        last = name

    def tensor(name, value):
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    if pixels:
        add("Cast", "numbers", [], to=onnx.TensorProto.FLOAT)
        add("Mul", "scaled", ["scale"])
    for i in "123":
        kernel = weights[f"conv{i}/weight"].transpose(3, 2, 0, 1)
        inputs = [tensor(f"w{i}", kernel), tensor(f"b{i}", weights[f"conv{i}/bias"])]
        add("Conv", f"conv{i}", inputs, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        add("Relu", f"relu{i}", [])
        add("MaxPool", f"pool{i}", [], kernel_shape=[2, 2], strides=[2, 2])
    add("Flatten", "flatten", [])
    rows = weights["dense/weight"].reshape(8, 8, 32, 128).transpose(2, 0, 1, 3).reshape(2048, 128)
    add("Gemm", "dense", [tensor("wd", rows), tensor("bd", weights["dense/bias"])])
    add("Relu", "dense_relu", [])
    inputs = [tensor("wl", weights["logits/weight"]), tensor("bl", weights["logits/bias"])]
    add("Gemm", "logits", inputs)
    if not logits:
        add("Softmax", "probability", [], axis=1)

    single = onnx.TensorProto.FLOAT
    stored = onnx.TensorProto.UINT8 if pixels else single
    inputs = [helper.make_tensor_value_info("image", stored, ["n", 1, 64, 64])]
    if pixels:
        inputs.append(helper.make_tensor_value_info("scale", single, ["n", 1, 1, 1]))
    output = helper.make_tensor_value_info(last, single, ["n", 2])
    graph = helper.make_graph(nodes, "ratnet", inputs, [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()
