"""What PyTorch makes of RatNet: tests/golden/ratnet.safetensors.

The network stands here a second time, written from the description of its layers, with weights in
ratnet's layout: channels last, conv [kh, kw, in, out], dense [in, out], flatten in the order rows,
columns, channels.

For input 16x16 and 64x64, in double and in single precision: logits, probabilities, loss and
gradients; for 16x16 also the weights after ten steps of Adam, AdamW, and SGD with momentum and
clipped gradients. Where not all numbers are kept, every seventh is ("small") or 64 of each tensor,
beside the norm and the sum ("full").
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

from .mixed import mixed

STEPS = 10
CLASS_WEIGHTS = [1.0, 3.0]
LABELS = [0, 1, 1, 0]


def shapes(size):
    """Name and shape of each weight; fan-in is the product of all sizes but the last."""
    features = (size // 8) ** 2 * 32
    return {
        "conv1/weight": (3, 3, 1, 32), "conv1/bias": (32,),
        "conv2/weight": (3, 3, 32, 32), "conv2/bias": (32,),
        "conv3/weight": (3, 3, 32, 32), "conv3/bias": (32,),
        "dense/weight": (features, 128), "dense/bias": (128,),
        "logits/weight": (128, 2), "logits/bias": (2,),
    }


def initial(size, dtype):
    weights = {}
    for stream, (name, shape) in enumerate(shapes(size).items()):
        unit = mixed(math.prod(shape), stream + 1)
        limit = math.sqrt(6.0 / math.prod(shape[:-1])) if name.endswith("weight") else 0.1
        value = torch.from_numpy((2.0 * unit - 1.0) * limit).to(dtype).reshape(shape)
        weights[name] = value.requires_grad_()
    return weights


def images(count, size, dtype):
    return torch.from_numpy(mixed(count * size * size, 0)).to(dtype).reshape(count, size, size, 1)


def logits_of(weights, x):
    x = x.permute(0, 3, 1, 2)
    for i in "123":
        kernel = weights[f"conv{i}/weight"].permute(3, 2, 0, 1)
        x = F.max_pool2d(F.relu(F.conv2d(x, kernel, weights[f"conv{i}/bias"], padding=1)), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    x = F.relu(x @ weights["dense/weight"] + weights["dense/bias"])
    return x @ weights["logits/weight"] + weights["logits/bias"]


def loss_of(weights, x):
    logits = logits_of(weights, x)
    labels = torch.tensor(LABELS[: len(x)])
    return logits, F.cross_entropy(logits, labels, torch.tensor(CLASS_WEIGHTS, dtype=x.dtype))


def forward_and_backward(size, count, dtype):
    weights = initial(size, dtype)
    logits, loss = loss_of(weights, images(count, size, dtype))
    loss.backward()
    outputs = {
        "logits": logits.detach().numpy(),
        "probability": torch.softmax(logits, 1).detach().numpy(),
        "loss": loss.detach().reshape(1).numpy(),
    }
    return outputs, {name: value.grad.numpy() for name, value in weights.items()}


def trained(size, count, dtype, make_optimiser, clip):
    weights = initial(size, dtype)
    x = images(count, size, dtype)
    optimiser = make_optimiser(list(weights.values()))
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = loss_of(weights, x)[1]
        loss.backward()
        if clip:
            norm = torch.nn.utils.clip_grad_norm_(weights.values(), clip)
            assert norm > clip, f"a gradient of norm {norm} is not clipped to {clip}"
        optimiser.step()
    print(f"  {type(optimiser).__name__}: loss after {STEPS} steps {loss.item():.6f}")
    return {name: value.detach().numpy() for name, value in weights.items()}


# Many gradients of so small a problem are 0, where Adam takes an algorithm's rounding for one, at
# the full rate: in single precision its epsilon is above the rounding.
EPSILON = {torch.float64: 1e-8, torch.float32: 1e-4}
OPTIMISERS = {
    "adam": (lambda p: torch.optim.Adam(p, lr=1e-3, eps=EPSILON[p[0].dtype]), 0),
    "adamw": (lambda p: torch.optim.AdamW(p, lr=1e-3, weight_decay=0.05,
                                          eps=EPSILON[p[0].dtype]), 0),
    "sgd": (lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9), 0.5),
}


def tensors():
    out = {}
    for dtype, label in ((torch.float64, "f64"), (torch.float32, "f32")):
        everything = slice(None) if dtype == torch.float64 else slice(None, None, 7)
        print(f"{label}, 16x16")
        outputs, gradients = forward_and_backward(16, 4, dtype)
        out |= {f"small/{label}/{name}": value for name, value in outputs.items()}
        for name, value in gradients.items():
            out[f"small/{label}/gradient/{name}"] = value.ravel()[everything]
        for kind, (make_optimiser, clip) in OPTIMISERS.items():
            kept = everything if kind == "adam" else slice(None, None, 7)
            for name, value in trained(16, 4, dtype, make_optimiser, clip).items():
                out[f"small/{label}/{kind}/{name}"] = value.ravel()[kept]

        print(f"{label}, 64x64")
        outputs, gradients = forward_and_backward(64, 2, dtype)
        out |= {f"full/{label}/{name}": value for name, value in outputs.items()}
        for stream, (name, value) in enumerate(gradients.items()):
            flat = value.ravel()
            picks = (mixed(64, 100 + stream) * len(flat)).astype(np.int64)
            out[f"full/{label}/gradient/{name}"] = flat[picks]
            wide = flat.astype(np.float64)
            out[f"full/{label}/norm_and_sum/{name}"] = np.array(
                [np.linalg.norm(wide), wide.sum()])
    return out
