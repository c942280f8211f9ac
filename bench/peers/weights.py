"""The weights of a model file, read with no more than NumPy: not every machine has a package for it."""

import json
from pathlib import Path

import numpy as np


def load_weights(path):
    """By name, of a safetensors file whose tensors are all f32."""
    content = Path(path).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    weights = {}
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        if tensor["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {tensor['dtype']}, not F32")
        first, last = (start + at for at in tensor["data_offsets"])
        numbers = np.frombuffer(content[first:last], "<f4")
        weights[name] = numbers.reshape(tensor["shape"]).copy()
    return weights
