"""RatNet in PyTorch, eager, channels last:

torch_peer.py infer MODEL INPUTS OUTPUTS THREADS
torch_peer.py train SLICES.h5 STEPS BATCH THREADS MODEL memory|dataloader
"""

import sys
import time

import h5py
import torch
from torch import nn

from measure import answer, serve
from torch_ratnet import RatNet


class Slices(torch.utils.data.Dataset):
    """Single slices straight from the file, opened anew in each worker."""

    def __init__(self, path):
        self.path, self.file = path, None
        with h5py.File(path) as file:
            self.size = len(file["images"])

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        if self.file is None:
            self.file = h5py.File(self.path)
        image = torch.from_numpy(self.file["images"][index])
        return image[None], int(self.file["labels"][index])


def from_memory(path, batch):
    """The whole set is read once; batches are gathered from it."""
    with h5py.File(path) as file:
        images = torch.from_numpy(file["images"][:])[:, None]
        labels = torch.from_numpy(file["labels"][:]).long()
    while True:
        for chosen in torch.randperm(len(images)).split(batch):
            yield images[chosen], labels[chosen]


def from_loader(path, batch):
    loader = torch.utils.data.DataLoader(Slices(path), batch, shuffle=True, num_workers=1)
    while True:
        yield from loader


def train(path, steps, batch, model_path, loader):
    torch.manual_seed(0)
    model = RatNet(model_path).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    batches = (from_memory if loader == "memory" else from_loader)(path, batch)
    warm_up, losses = 20, []
    for step in range(steps):
        if step == warm_up:
            start, cpu = time.perf_counter(), time.process_time()
        images, labels = next(batches)
        images = images.float().mul_(1 / 255).contiguous(memory_format=torch.channels_last)
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(model(images), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    measured, last = steps - warm_up, losses[-100:]
    answer(
        steps_per_s=measured / (time.perf_counter() - start),
        steps_per_cpu_s=measured / (time.process_time() - cpu),
        loss=sum(last) / len(last),
    )


def main():
    if sys.argv[1] == "train":
        _, _, path, steps, batch, threads, model, loader = sys.argv
        torch.set_num_threads(int(threads))
        train(path, int(steps), int(batch), model, loader)
        return
    _, _, path, inputs, outputs, threads = sys.argv
    torch.set_num_threads(int(threads))
    model = RatNet(path).to(memory_format=torch.channels_last).eval()

    def predict(images):
        with torch.inference_mode():
            x = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
            return torch.softmax(model(x), 1).numpy()

    serve(predict, inputs, outputs)


main()
