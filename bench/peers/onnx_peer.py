"""ONNX Runtime; onnx_serving.py tells how it is called."""

import onnxruntime

from onnx_serving import main


def open_model(model, name, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {name: images})[0]


main(open_model)
