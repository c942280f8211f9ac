"""What the contenders are held to: the same in PyTorch's double precision."""

import numpy as np
import torch

from measure import channels_last, read_samples, read_targets
from subjects import PASSES
from torch_graph import Network, Steps
from torch_peer import as_ours, images_of, layer_tensors, passes


def logits(model, inputs, shape):
    network = Network(model).double().eval()
    with torch.inference_mode():
        parts = [network(images_of(part).double())
                 for part in np.split(inputs, range(8, len(inputs), 8))]
    return channels_last(torch.cat(parts).numpy())


def losses(model, inputs, targets, loss):
    """Of two steps."""
    given = read_targets(targets, loss, inputs)
    given = None if given is None else torch.from_numpy(given)
    step = Steps(Network(model).double(), images_of(inputs).double(), given)
    return np.array([step(), step()])


def layer(one, folder):
    """By pass."""
    with torch.inference_mode():
        run = passes(one, *layer_tensors(one, folder, torch.float64))
        return {name: as_ours(run[name](), name) for name in PASSES}
