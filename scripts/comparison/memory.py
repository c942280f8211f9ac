"""What training a large network takes: its plan's figures beside the growth of the process."""

import json
import subprocess

LIMIT = 8 << 30
TOLERANCE = 0.05
# network, batch, whether it recomputes; 60 is the most volumes with which the whole process keeps
# below LIMIT
ROWS = (("conv5_fc3", 4, False), ("conv5_fc3", 60, False), ("unet", 8, False), ("unet", 8, True))
PLANNED = ("activations", "scratch", "parameters", "gradients", "moments")


def measure(driver, network, batch, recompute):
    """One process on one thread, three steps; bytes."""
    command = [driver, "memory", network, str(batch), "3", "1", *["recompute"] * recompute]
    run = json.loads(subprocess.run(command, check=True, text=True, capture_output=True).stdout)
    planned = sum(run[key] for key in PLANNED)
    growth = run["peak"] - run["resident_before"]
    return {"recompute": recompute, "planned": planned, "growth": growth,
            "growth_over_planned": growth / planned,
            "good": abs(growth / planned - 1) <= TOLERANCE and run["peak"] <= LIMIT} | {
                key: run[key] for key in ("network", "batch", "threads", "steps", *PLANNED, "peak",
                                          "seconds_per_step")}


def table(driver):
    rows = []
    for network, batch, recompute in ROWS:
        row = measure(driver, network, batch, recompute)
        print(f"{network} batch {batch}{', recomputing' * recompute}: "
              f"planned {row['planned'] / 1e6:.0f} MB, the process grew by "
              f"{row['growth'] / 1e6:.0f} MB ({row['growth_over_planned']:.4f}) to "
              f"{row['peak'] / 2**30:.2f} GiB, {row['seconds_per_step']:.1f} s a step, "
              f"{'good' if row['good'] else 'NOT GOOD'}", flush=True)
        rows.append(row)
    return rows
