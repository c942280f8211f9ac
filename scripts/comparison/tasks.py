"""Tasks that small networks learn: blobs in noise.

A task takes (random, how many samples, their spatial shape, channels) and gives (images [samples,
shape..., channels], {"labels": [samples] i32} or {"masks": [samples, shape...] u8} or {}).
"""

import numpy as np


def blobs(random, count, shape):
    """Normal noise with one blob in each image: (images [count, shape...], the blob in them)."""
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), -1)
    axes = (slice(None),) + (None,) * len(shape)
    centre = random.uniform(0.3, 0.7, (count, len(shape))) * shape
    radius = random.uniform(0.1, 0.2, count) * min(shape)
    away = ((grid - centre[axes]) ** 2).sum(-1)
    blob = np.exp(-away / (2 * radius[axes] ** 2))
    return 0.3 * random.standard_normal(blob.shape), blob


def classes(count):
    """The class is the brightness of the blob, which overlaps with that of the next class."""

    def make(random, samples, shape, channels):
        noise, blob = blobs(random, samples, shape)
        labels = random.integers(0, count, samples)
        brightness = labels + random.normal(0, 0.4, samples)
        images = noise + blob * brightness[(slice(None),) + (None,) * len(shape)]
        return images[..., None], {"labels": labels.astype(np.int32)}

    return make


def pictures(random, samples, shape, channels):
    noise, blob = blobs(random, samples, shape)
    return (noise + 2 * blob)[..., None], {}


def masks(count):
    """A blob whose brightness differs by class, seen through noise of each channel."""

    def make(random, samples, shape, channels):
        _, blob = blobs(random, samples, shape)
        kind = random.integers(1, count, samples)[(slice(None),) + (None,) * len(shape)]
        mask = np.where(blob > 0.5, kind, 0)
        noise = random.standard_normal(mask.shape + (channels,))
        return mask[..., None] + 0.7 * noise, {"masks": mask.astype(np.uint8)}

    return make
