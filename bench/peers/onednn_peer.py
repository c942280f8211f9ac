"""oneDNN by itself: onednn_peer.py layer FOLDER NAME THREADS KIND RANK SIZE IN OUT KERNEL STRIDE PAD
BATCH, as ratnet_peer is called.

Images and their gradients lie channels last, as ratnet's and PyTorch's do. How weights and their
gradients lie it chooses, and what that costs is not counted.
"""

import sys

import numpy as np

import onednn
from measure import read_samples, serve, write
from onednn import DIFF_DST, DIFF_SRC, DIFF_WEIGHTS, DST, SRC, WEIGHTS
from subjects import PASSES, Layer

INPUTS = {"forward": (SRC, WEIGHTS), "data": (DIFF_DST, WEIGHTS), "weights": (SRC, DIFF_DST)}
OUTPUT = {"forward": DST, "data": DIFF_SRC, "weights": DIFF_WEIGHTS}


class Tensors:
    """x, weight and dy with memory for the results, by argument."""

    def __init__(self, layer, folder):
        x, weight, dy = (
            read_samples(f"{folder}/{name}", shape[1:]).reshape(shape)
            for name, shape in (("x", layer.x_shape), ("weight", layer.weight_shape),
                                ("dy", layer.y_shape)))
        self.arrays = {SRC: x, WEIGHTS: weight, DIFF_DST: dy, DST: np.zeros_like(dy),
                       DIFF_SRC: np.zeros_like(x), DIFF_WEIGHTS: np.zeros_like(weight)}
        # oneDNN's order of dimensions is [N, C, spatial...] and [out, in, kernel...].
        last = layer.rank + 1
        images = (0, last, *range(1, last))
        kernels = (*((last - 1, last) if layer.transposed else (last, last - 1)),
                   *range(layer.rank))
        self.turned = {
            which: array.transpose(kernels if which in (WEIGHTS, DIFF_WEIGHTS) else images)
            for which, array in self.arrays.items()
        }

    def plain(self, which):
        """How one of them lies in its array."""
        array = self.turned[which]
        return onednn.description(array.shape, [step // 4 for step in array.strides])

    def preferred(self, which):
        return (onednn.description(self.turned[which].shape)
                if which in (WEIGHTS, DIFF_WEIGHTS) else self.plain(which))


def descriptions(layer, tensors):
    """By pass: oneDNN's description of it."""
    spatial = [layer.rank * [n] for n in (layer.stride, 0, layer.pad)]
    after = layer.pad
    if layer.transposed:
        # What the output lacks of its own size.
        after = layer.kernel - layer.stride - layer.pad
    sizes = [onednn.numbers(s) for s in (*spatial, layer.rank * [after])]
    name = "deconvolution" if layer.transposed else "convolution"
    algorithm = onednn.DIRECT_TRANSPOSED if layer.transposed else onednn.DIRECT
    of = tensors.preferred
    forward = onednn.primitive_description(
        name + "_forward", onednn.TRAINING, algorithm, of(SRC), of(WEIGHTS), None, of(DST), *sizes,
        None)
    return {
        "forward": forward,
        "data": onednn.primitive_description(
            name + "_backward_data", algorithm, of(DIFF_SRC), of(WEIGHTS), of(DIFF_DST), *sizes,
            forward, None),
        "weights": onednn.primitive_description(
            name + "_backward_weights", algorithm, of(SRC), of(DIFF_WEIGHTS), None, of(DIFF_DST),
            *sizes, forward, None),
    }


def prepared(how, tensors, which):
    """(a function that runs a pass, one that runs it and gives the result as ratnet has it)"""
    memories = {}
    for argument in (*INPUTS[which], OUTPUT[which]):
        given = onednn.memory(tensors.plain(argument), tensors.arrays[argument])
        if argument in (WEIGHTS, DIFF_WEIGHTS):
            chosen = onednn.described(how, argument)
            memories[argument] = onednn.memory(chosen)
            if argument == WEIGHTS:
                onednn.copy(tensors.plain(argument), given, chosen, memories[argument])
        else:
            memories[argument] = given
    run = onednn.execution(how, memories)

    def give():
        run()
        result = tensors.arrays[OUTPUT[which]]
        if OUTPUT[which] == DIFF_WEIGHTS:
            plain = tensors.plain(DIFF_WEIGHTS)
            onednn.copy(onednn.described(how, DIFF_WEIGHTS), memories[DIFF_WEIGHTS], plain,
                        onednn.memory(plain, result))
        return result

    return run, give


def one_layer(folder, own, _, *words):
    layer = Layer(words[0], *map(int, words[1:]))
    tensors = Tensors(layer, folder)
    found = descriptions(layer, tensors)
    passes = {name: prepared(found[name], tensors, name) for name in PASSES}
    for name, (_, give) in passes.items():
        write(f"{folder}/{own}.{name}", give())
    serve(lambda what: passes[what][0])


if __name__ == "__main__":
    {"layer": one_layer}[sys.argv[1]](*sys.argv[2:])
