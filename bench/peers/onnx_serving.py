"""What the contenders that read ONNX have in common:

... infer MODEL INPUTS OUTPUTS THREADS
... layer FOLDER NAME THREADS KIND RANK SIZE IN OUT KERNEL STRIDE PAD BATCH
"""

import sys

from graph import layer_graph, load_graph
from measure import channels_first, channels_last, read_samples, serve, serve_inference, write
from onnx_graph import network
from subjects import Layer


def infer(open_model, path, inputs, outputs, threads):
    nodes, weights = load_graph(path)
    samples = read_samples(inputs, nodes[0]["shape"])
    predict = open_model(network(nodes, weights), nodes[0]["name"], int(threads))
    serve_inference(samples, outputs, channels_first, predict, channels_last)


def one_layer(open_model, folder, own, threads, *words):
    """Forward only. What it costs to bring the image into the contender's own order, and the result
    out of it, is measured as well."""
    layer = Layer(words[0], *map(int, words[1:]))
    x = channels_first(read_samples(f"{folder}/x", layer.x_shape[1:]))
    weight = read_samples(f"{folder}/weight", layer.weight_shape[1:])
    predict = open_model(network(*layer_graph(layer, weight)), "x", int(threads))
    write(f"{folder}/{own}.forward", channels_last(predict(x)))
    serve(lambda what: lambda: predict(x))


def main(open_model):
    """open_model(model, input, threads) -> images [N, C, spatial...] to outputs."""
    {"infer": infer, "layer": one_layer}[sys.argv[1]](open_model, *sys.argv[2:])
