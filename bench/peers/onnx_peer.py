"""RatNet in ONNX Runtime: onnx_peer.py infer MODEL INPUTS OUTPUTS THREADS"""

import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from safetensors.numpy import load_file

from measure import serve


def network(weights):
    """The graph as ONNX likes it best: channels first, and the rows of the dense layer put in the
    order in which that flattens."""
    tensors, nodes, last = [], [], "image"

    def add(op, name, inputs, **attributes):
        nonlocal last
        nodes.append(helper.make_node(op, [last, *inputs], [name], name=name, **attributes))
        last = name

    def tensor(name, value):
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

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
    add("Softmax", "probability", [], axis=1)

    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", 1, 64, 64])
    output = helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, ["n", 2])
    graph = helper.make_graph(nodes, "ratnet", [image], [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def main():
    _, _, model, inputs, outputs, threads = sys.argv
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        network(load_file(model)), options, providers=["CPUExecutionProvider"]
    )
    serve(lambda images: session.run(None, {"image": images})[0], inputs, outputs)


main()
