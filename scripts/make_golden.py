#!/usr/bin/env python3
"""Writes tests/golden/*.safetensors: what PyTorch makes of the networks, layers and losses, for
tests/network and tests/train.

    scripts/make_golden.py [--folder tests/golden] [--add] [ratnet networks layers anomaly losses]

Processors differ in the last bits: with --add, what a file has stays and what it lacks is added. Needs
Python with torch, numpy and safetensors; the tests that read the files need none of them.
Weights, inputs and which numbers are kept come from a formula of integers that the tests compute
too (golden/mixed.py), so they are equal to the bit and need no room in the files.
"""

import argparse
import os
import platform

import numpy as np
import safetensors
import torch
from safetensors.numpy import load_file, save_file

from golden import anomaly, layers, losses, networks, ratnet

FILES = {"ratnet": ratnet, "networks": networks, "layers": layers, "anomaly": anomaly,
         "losses": losses}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", default="tests/golden")
    parser.add_argument("--add", action="store_true", help="only what the files lack")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(FILES)}; all without any")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    made_with = (f"python {platform.python_version()}, torch {torch.__version__}, "
                 f"numpy {np.__version__}, safetensors {safetensors.__version__}")
    print(made_with)
    for name in arguments.names or FILES:
        out = FILES[name].tensors()
        path = f"{arguments.folder}/{name}.safetensors"
        if arguments.add and os.path.exists(path):
            out |= load_file(path)
        save_file({key: np.ascontiguousarray(value) for key, value in out.items()}, path,
                  metadata={"made_with": made_with})
        print(f"{path}: {len(out)} tensors, {sum(v.nbytes for v in out.values()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
