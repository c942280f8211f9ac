"""The set of slices that both sides train on."""

import h5py
import numpy as np


def write_slices(path, count=30_000):
    """Half of the slices hold a disc in noise, half a disc of a third of its brightness."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[:64, :64]
    labels = random.integers(0, 2, count, dtype=np.uint8)
    with h5py.File(path, "w") as file:
        images = file.create_dataset(
            "images",
            (count, 64, 64),
            "u1",
            chunks=(64, 64, 64),
            compression="gzip",
            compression_opts=4,
            shuffle=True,
        )
        for first in range(0, count, 1000):
            dark = labels[first : first + 1000, None, None]
            n = len(dark)
            centre = random.uniform(24, 40, (2, n, 1, 1))
            disc = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < random.uniform(150, 500, (n, 1, 1))
            level = random.uniform(40, 200, (n, 1, 1)) * np.where(dark, 0.33, 1)
            values = disc * level + random.gamma(2, 4, (n, 64, 64))
            images[first : first + n] = np.clip(values, 0, 255).astype(np.uint8)
        file.create_dataset("labels", data=labels)
