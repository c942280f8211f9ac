"""Figures of several rounds: medians, ratios within a round, tables."""

import statistics
from pathlib import Path

import numpy as np


def relative_error(path, expected):
    """Of the f32 numbers in a file against those of another file or against numbers, by norms."""
    found = np.fromfile(path, np.float32).astype(np.float64)
    if isinstance(expected, Path):
        expected = np.fromfile(expected, np.float32).astype(np.float64)
    return float(np.linalg.norm(found - expected.ravel()) / np.linalg.norm(expected))


def spread(rounds, key):
    """Median and range of a figure, and of ours over it within each round."""
    ours = [r[key] for r in rounds["ratnet"]] if "ratnet" in rounds else None
    table = {}
    for name, values in rounds.items():
        figures = [r[key] for r in values]
        table[name] = {"median": statistics.median(figures), "rounds": figures}
        if ours and name != "ratnet":
            ratios = [a / b for a, b in zip(ours, figures)]
            table[name]["ratio"] = statistics.median(ratios)
            table[name]["ratio_range"] = [min(ratios), max(ratios)]
    return table


def print_table(title, tables):
    """tables: by heading; each as spread() gives it, the first with all names. Ratios: ours over
    theirs."""
    print(f"\n{title}")
    names = list(next(iter(tables.values())))
    print(f"{'':<18}" + "".join(f"{heading:>34}" for heading in tables))
    for name in names:
        line = f"{name:<18}"
        for table in tables.values():
            cell = table.get(name, {})
            text = f"{cell['median']:.4g}" if cell else "-"
            if "ratio" in cell:
                low, high = cell["ratio_range"]
                text += f"  x{cell['ratio']:.2f} [{low:.2f} {high:.2f}]"
            line += f"{text:>34}"
        print(line)
