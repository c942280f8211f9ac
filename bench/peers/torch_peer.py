"""PyTorch, eager, channels last:

torch_peer.py infer MODEL INPUTS OUTPUTS THREADS
torch_peer.py steps MODEL INPUTS OUTPUTS THREADS LOSS TARGETS BATCH
torch_peer.py layer FOLDER NAME THREADS KIND RANK SIZE IN OUT KERNEL STRIDE PAD BATCH
torch_peer.py train SLICES.h5 STEPS BATCH THREADS MODEL memory|dataloader
"""

import sys
import time

import torch

from graph import load_graph
from measure import (answer, channels_last, read_samples, read_targets, serve, serve_inference,
                     serve_steps, write)
from subjects import PASSES, Layer
from torch_graph import LAST, Network, Steps, kernel, loss_of


def images_of(samples):
    """[N, spatial..., C] as [N, C, spatial...], in the same memory."""
    return torch.from_numpy(samples).movedim(-1, 1)


def infer(path, inputs, outputs, threads):
    torch.set_num_threads(int(threads))
    network = Network(path, folded=True)

    def predict(images):
        with torch.inference_mode():
            return network(images)

    shape = load_graph(path)[0][0]["shape"]
    serve_inference(read_samples(inputs, shape), outputs, images_of, predict,
                    lambda y: channels_last(y.numpy()))


def steps(path, inputs, outputs, threads, loss, targets, batch):
    torch.set_num_threads(int(threads))
    samples = read_samples(inputs, load_graph(path)[0][0]["shape"])

    def make(images, given):
        given = None if given is None else torch.from_numpy(given)
        return Steps(Network(path), images_of(images), given)

    serve_steps(make, samples, read_targets(targets, loss, samples), outputs, int(batch))


def passes(layer, x, weight, dy):
    """By name: the three passes of a layer, which give what they compute."""
    pads, strides = [layer.pad] * layer.rank, [layer.stride] * layer.rank
    ones, extra = [1] * layer.rank, [0] * layer.rank
    if layer.transposed:
        extra = [2 * layer.pad + layer.stride - layer.kernel] * layer.rank
    rest = (strides, pads, ones, layer.transposed, extra, 1)

    def backward(which):
        mask = [which == "data", which == "weights", False]
        given = torch.ops.aten.convolution_backward(dy, x, weight, None, *rest, mask)
        return given[PASSES.index(which) - 1]

    return {
        "forward": lambda: torch.ops.aten.convolution(x, weight, None, *rest),
        "data": lambda: backward("data"),
        "weights": lambda: backward("weights"),
    }


def layer_tensors(layer, folder, dtype=torch.float32):
    """x, weight, dy as PyTorch has them, channels last in memory."""
    shapes = {"x": layer.x_shape, "weight": layer.weight_shape, "dy": layer.y_shape}
    found = {key: read_samples(f"{folder}/{key}", shape[1:]) for key, shape in shapes.items()}
    turned = {"x": images_of(found["x"]), "weight": kernel(torch.from_numpy(found["weight"])),
              "dy": images_of(found["dy"])}
    return [t.to(dtype).contiguous(memory_format=LAST[layer.rank]) for t in turned.values()]


def as_ours(result, name):
    """Channels last; of weights [kernel..., in, out]."""
    if name == "weights":
        return result.permute(*range(2, result.ndim), 1, 0).numpy()
    return channels_last(result.numpy())


def one_layer(folder, own, threads, *words):
    torch.set_num_threads(int(threads))
    layer = Layer(words[0], *map(int, words[1:]))
    with torch.inference_mode():
        run = passes(layer, *layer_tensors(layer, folder))
        for name in PASSES:
            write(f"{folder}/{own}.{name}", as_ours(run[name](), name))
        serve(lambda what: run[what])


def from_memory(path, batch):
    """The whole set is read once; batches are gathered from it."""
    import h5py

    with h5py.File(path) as file:
        images = torch.from_numpy(file["images"][:])[:, None]
        labels = torch.from_numpy(file["labels"][:]).long()
    while True:
        for chosen in torch.randperm(len(images)).split(batch):
            yield images[chosen], labels[chosen]


class Slices(torch.utils.data.Dataset):
    """Single slices straight from the file, opened anew in each worker."""

    def __init__(self, path):
        import h5py

        self.open, self.path, self.file = h5py.File, path, None
        with self.open(path) as file:
            self.size = len(file["images"])

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if self.file is None:
            self.file = self.open(self.path)
        image = torch.from_numpy(self.file["images"][index])
        return image[None], int(self.file["labels"][index])


def from_loader(path, batch):
    loader = torch.utils.data.DataLoader(Slices(path), batch, shuffle=True, num_workers=1)
    while True:
        yield from loader


def train(path, steps, batch, threads, model_path, loader):
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    steps, batch = int(steps), int(batch)
    model = Network(model_path)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = (from_memory if loader == "memory" else from_loader)(path, batch)
    warm_up, losses = 20, []
    for step in range(steps):
        if step == warm_up:
            start, cpu = time.perf_counter(), time.process_time()
        images, labels = next(batches)
        images = images.float().mul_(1 / 255).contiguous(memory_format=torch.channels_last)
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(model(images), images, labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    measured, last = steps - warm_up, losses[-100:]
    answer(
        steps_per_s=measured / (time.perf_counter() - start),
        steps_per_cpu_s=measured / (time.process_time() - cpu),
        loss=sum(last) / len(last),
    )


if __name__ == "__main__":
    {"infer": infer, "steps": steps, "layer": one_layer, "train": train}[sys.argv[1]](*sys.argv[2:])
