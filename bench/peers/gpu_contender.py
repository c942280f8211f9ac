"""What the contenders of run_gpu have in common: keys, clocks, and the protocol of
bench/gpu/serve.h."""

import argparse
import json
import os
import sys
import time

import numpy as np

SCALE = 1 / 64  # what pixels are multiplied by before the network sees them
MOST_AT_ONCE = 4096  # slices; more go through the device in parts


class NotHere(Exception):
    """Something that this contender, or this machine, does not have."""


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("model")
    parser.add_argument("--inputs", required=True, help="u8 slices")
    parser.add_argument("--outputs", required=True, help="gets their logits; a suffix is added")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="once each: shows that it runs")
    return parser.parse_args()


def part_of(count):
    """How many of so many slices in the host's memory go at once; as bench/gpu does it."""
    return count if count <= 256 else min(count // 4, MOST_AT_ONCE)


def parts_of(count, size):
    return [slice(first, first + size) for first in range(0, count, size)]


def pixels(count):
    return np.random.default_rng(1).integers(0, 256, (count, 1, 64, 64), np.uint8)


class Clock:
    """work() submits, wait() waits: a round is as many calls as take 20 ms, and one wait."""

    def __init__(self, work, wait, quick, warm_ups=3):
        self.work, self.wait, self.calls = work, wait, 1
        for _ in range(1 if quick else warm_ups):
            self.time()
        while not quick and (seconds := self.time()) < 0.02:
            self.calls = int(self.calls * min(max(0.024 / seconds, 2), 100))

    def time(self):
        start = time.perf_counter()
        for _ in range(self.calls):
            self.work()
        self.wait()
        return time.perf_counter() - start

    def seconds(self):
        """Of one call."""
        return self.time() / self.calls


def rate(clock, count):
    return lambda: {"slices_per_s": count / clock.seconds()}


def latency(call, quick):
    """call: from the host's memory to the host's memory."""
    for _ in range(2 if quick else 100):
        call()
    times = []

    def measured():
        times.clear()
        for _ in range(2 if quick else 2000):
            start = time.perf_counter()
            call()
            times.append((time.perf_counter() - start) * 1e6)
        return {"us": float(np.median(times)), "us_95th_percentile": float(np.quantile(times, 0.95))}

    return measured


def why_of(error):
    kind = "" if isinstance(error, NotHere) else f"{type(error).__name__}: "
    return f"{kind}{error}"[:500]


def serve(about, prepare):
    """about() -> what the first line says; prepare(words of a key) -> a function that measures one
    round. Answers every line, a key, with one line."""
    # What libraries print must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(values):
        print(json.dumps(values), file=answers, flush=True)

    try:
        answer(about())
    except Exception as error:  # of whatever kind: a package too old, a library that does not load
        answer({"absent": why_of(error)})
        return
    key, measure = None, None
    for line in sys.stdin:
        wanted = line.strip()
        try:
            if wanted != key:
                key = measure = None  # its memory goes first
                measure = prepare(wanted.split("/"))
                key = wanted
            answer(measure())
        except Exception as error:  # the packages have kinds of their own for a full memory
            answer({"failed": why_of(error)})
