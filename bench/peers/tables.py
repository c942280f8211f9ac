"""Figures of several rounds: medians, ratios within a round, tables."""

import statistics

import numpy as np


def relative_error(a, b, type_of_b=np.float32):
    """Of the numbers in file a against those in b, by the norm."""
    a, b = np.fromfile(a, np.float32).astype(np.float64), np.fromfile(b, type_of_b)
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


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
    """tables: by heading; each as spread() gives it. Ratios: ours over theirs."""
    print(f"\n{title}")
    names = list(next(iter(tables.values())))
    print(f"{'':<18}" + "".join(f"{heading:>34}" for heading in tables))
    for name in names:
        line = f"{name:<18}"
        for table in tables.values():
            cell = table[name]
            text = f"{cell['median']:.4g}"
            if "ratio" in cell:
                low, high = cell["ratio_range"]
                text += f"  x{cell['ratio']:.2f} [{low:.2f} {high:.2f}]"
            line += f"{text:>34}"
        print(line)
