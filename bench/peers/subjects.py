"""What run compares: networks, single layers, and the contenders that each of them has."""

import os
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
# Keeps large blocks of memory from going back to the system after every step, which alone costs
# PyTorch half its speed.
TUNED = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "4294967295"}
# What holds the contenders to AVX2. ONNX Runtime has no such switch.
AVX2 = {
    "RATNET_INSTRUCTION_SET": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "TF_ENABLE_ONEDNN_OPTS": "1",
}
UNBOUND = ("onnxruntime",)


class Network(NamedTuple):
    """inference, training: sizes of batches. loss: what it compares with (train/objective.h)."""

    inference: tuple
    training: tuple
    loss: str


NETWORKS = {
    "ratnet": Network((1, 32, 256), (32, 256), "labels"),
    "autoencoder": Network((1, 32), (32,), "image"),
    "unet": Network((1,), (1,), "masks"),
    "conv5_fc3": Network((1,), (2,), "labels"),
}


class Layer(NamedTuple):
    """A convolution without bias, all sizes equal along its dimensions; transposed ones enlarge."""

    kind: str
    rank: int
    size: int
    channels: int
    out: int
    kernel: int
    stride: int
    pad: int
    batch: int

    @property
    def transposed(self):
        return self.kind == "transposed"

    @property
    def size_out(self):
        if self.transposed:
            return self.size * self.stride
        return (self.size + 2 * self.pad - self.kernel) // self.stride + 1

    @property
    def x_shape(self):
        return (self.batch, *[self.size] * self.rank, self.channels)

    @property
    def y_shape(self):
        return (self.batch, *[self.size_out] * self.rank, self.out)

    @property
    def weight_shape(self):
        ends = (self.out, self.channels) if self.transposed else (self.channels, self.out)
        return (*[self.kernel] * self.rank, *ends)

    @property
    def gflop(self):
        """Of one pass: 2 for every multiply-add, padding included."""
        places = self.batch * min(self.size, self.size_out) ** self.rank
        return 2e-9 * places * self.kernel**self.rank * self.channels * self.out

    def words(self):
        return [str(word) for word in self]


LAYERS = {
    "conv 3x3, 32>32": Layer("conv", 2, 32, 32, 32, 3, 1, 1, 32),
    "conv 5x5 stride 2, 1>32": Layer("conv", 2, 64, 1, 32, 5, 2, 2, 32),
    "conv 5x5 stride 2, 32>64": Layer("conv", 2, 64, 32, 64, 5, 2, 2, 8),
    "transposed 2x2, 64>32": Layer("transposed", 2, 32, 64, 32, 2, 2, 0, 16),
    "transposed 5x5, 64>32": Layer("transposed", 2, 32, 64, 32, 5, 2, 2, 8),
    "conv 3x3x3, 8>16": Layer("conv", 3, 32, 8, 16, 3, 1, 1, 4),
    "conv 3x3x3, 32>32": Layer("conv", 3, 32, 32, 32, 3, 1, 1, 1),
    "conv 3x3x3, 64>64": Layer("conv", 3, 16, 64, 64, 3, 1, 1, 2),
}
PASSES = ("forward", "data", "weights")


CONTENDERS = ("ratnet", "onnxruntime", "openvino", "onednn", "torch", "torch_malloc", "tensorflow")


class Contender(NamedTuple):
    command: list
    environment: dict
    does: tuple  # of start, infer, steps, train, layer


def contenders(chosen, python, tensorflow):
    """By name, those of the command line. tensorflow: the Python that has it, or None."""
    everything = ("start", "infer", "steps", "layer")
    inference = ("start", "infer", "layer")
    found = {
        "ratnet": Contender([chosen.peer], {}, (*everything, "train")),
        "onnxruntime": Contender([python, HERE / "onnx_peer.py"], {}, inference),
        "openvino": Contender([python, HERE / "openvino_peer.py"], {}, inference),
        "onednn": Contender([python, HERE / "onednn_peer.py"], {}, ("layer",)),
        "torch": Contender([python, HERE / "torch_peer.py"], {}, (*everything, "train")),
        "torch_malloc": Contender(
            [python, HERE / "torch_peer.py"], TUNED, ("infer", "steps", "layer", "train")
        ),
    }
    if tensorflow:
        found["tensorflow"] = Contender(
            [tensorflow, HERE / "tensorflow_peer.py"], TUNED, ("start", "infer", "steps")
        )
    held = AVX2 if chosen.avx2 else {}
    limits = {name: str(chosen.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {
        name: one._replace(environment={**os.environ, **limits, **held, **one.environment})
        for name, one in found.items()
        if name in chosen.contenders and not (chosen.avx2 and name in UNBOUND)
    }
