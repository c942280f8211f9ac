"""RatNet in OpenVINO: openvino_peer.py infer MODEL INPUTS OUTPUTS THREADS"""

import sys

import openvino

from measure import serve
from onnx_ratnet import network
from weights import load_weights


def main():
    _, _, model, inputs, outputs, threads = sys.argv
    core = openvino.Core()
    # Without the first it rounds to bf16 where the processor has it.
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": int(threads),
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = {}  # by batch: fixed sizes are what it is fastest with

    def predict(images):
        if len(images) not in compiled:
            graph = core.read_model(network(load_weights(model)))
            graph.reshape([len(images), 1, 64, 64])
            compiled[len(images)] = core.compile_model(graph, "CPU", settings)
        return compiled[len(images)](images)[0]

    serve(predict, inputs, outputs)


main()
