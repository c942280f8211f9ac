"""OpenVINO; onnx_serving.py tells how it is called."""

import openvino

from onnx_serving import main


def open_model(model, _, threads):
    core = openvino.Core()
    # Without the first it rounds to bf16 where the processor has it.
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = {}  # by batch: fixed sizes are what it is fastest with

    def predict(images):
        if len(images) not in compiled:
            graph = core.read_model(model)
            graph.reshape(images.shape)
            compiled[len(images)] = core.compile_model(graph, "CPU", settings)
        return compiled[len(images)](images)[0]

    return predict


main(open_model)
