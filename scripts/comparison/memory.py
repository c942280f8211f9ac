"""What training a large network takes: its plan's figures beside the growth of the process."""

import json
import subprocess

LIMIT = 8 << 30
TOLERANCE = 0.05
# network, batch; 60 is the most volumes with which the whole process keeps below LIMIT
ROWS = (("conv5_fc3", 4), ("conv5_fc3", 60), ("unet", 8))


def measure(driver, network, batch):
    """One process on one thread, three steps; bytes."""
    run = json.loads(subprocess.run([driver, "memory", network, str(batch), "3", "1"], check=True,
                                    text=True, capture_output=True).stdout)
    planned = sum(run[key] for key in ("activations", "scratch", "parameters", "moments"))
    growth = run["peak"] - run["resident_before"]
    return {"planned": planned, "growth": growth, "growth_over_planned": growth / planned,
            "good": abs(growth / planned - 1) <= TOLERANCE and run["peak"] <= LIMIT} | {
                key: run[key] for key in ("network", "batch", "threads", "steps", "activations",
                                          "scratch", "parameters", "moments", "peak",
                                          "seconds_per_step")}


def table(driver):
    rows = []
    for network, batch in ROWS:
        row = measure(driver, network, batch)
        print(f"{network} batch {batch}: planned {row['planned'] / 1e6:.0f} MB, the process grew "
              f"by {row['growth'] / 1e6:.0f} MB ({row['growth_over_planned']:.4f}) to "
              f"{row['peak'] / 2**30:.2f} GiB, {row['seconds_per_step']:.1f} s a step, "
              f"{'good' if row['good'] else 'NOT GOOD'}", flush=True)
        rows.append(row)
    return rows
