"""RatNet in ONNX Runtime: onnx_peer.py infer MODEL INPUTS OUTPUTS THREADS"""

import sys

import onnxruntime

from measure import serve
from onnx_ratnet import network
from weights import load_weights


def main():
    _, _, model, inputs, outputs, threads = sys.argv
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        network(load_weights(model)), options, providers=["CPUExecutionProvider"]
    )
    serve(lambda images: session.run(None, {"image": images})[0], inputs, outputs)


main()
