"""What the Python contenders have in common: the protocol of ratnet_peer.cpp."""

import json
import sys
import time

import numpy as np


def answer(**values):
    print(json.dumps(values), flush=True)


def channels_first(images):
    return np.ascontiguousarray(np.moveaxis(images, -1, 1))


def channels_last(images):
    return np.moveaxis(images, 1, -1) if images.ndim > 2 else images


def read_samples(path, shape):
    """[N, shape...] f32."""
    return np.fromfile(path, np.float32).reshape(-1, *shape)


def write(path, values):
    np.ascontiguousarray(values, np.float32).tofile(path)


def serve(make, **about):
    """make(WHAT) -> what to measure. Answers each line "WHAT SECONDS" with a measurement of about
    that length."""
    answer(ready=True, **about)
    before = run = None
    for line in sys.stdin:
        what, length = line.split()
        if what != before:
            run = make(what)
            begin, warm = time.perf_counter(), 0
            # Compiles, chooses, touches memory for the first time.
            while warm < 3 and (warm < 1 or time.perf_counter() - begin < float(length)):
                run()
                warm += 1
        before = what
        cpu, start = time.process_time(), time.perf_counter()
        seconds, runs = 0.0, 0
        while seconds < float(length):
            run()
            runs += 1
            seconds = time.perf_counter() - start
        answer(runs_per_s=runs / seconds, runs_per_cpu_s=runs / (time.process_time() - cpu))


def serve_inference(inputs, outputs_path, prepare, predict, read):
    """prepare(images [N, spatial..., C]) -> what predict(...) takes; read(its result) -> the
    outputs, channels last. Only predict is measured. Writes the outputs of all inputs first."""
    parts = [inputs[i : i + 32] for i in range(0, len(inputs), 32)]
    write(outputs_path, np.concatenate([read(predict(prepare(part))) for part in parts]))

    def make(what):
        prepared = prepare(inputs[: int(what)])
        return lambda: predict(prepared)

    serve(make)


def serve_steps(make, inputs, targets, outputs_path, batch):
    """make(images, targets) -> a step, which gives its loss. Writes the losses of two steps."""

    def of_batch(n):
        return make(inputs[:n], None if targets is None else targets[:n])

    step = of_batch(batch)
    write(outputs_path, [step(), step()])
    serve(lambda what: of_batch(int(what)))


def read_targets(path, loss, inputs):
    """[N] of labels, [N, spatial...] of masks, None for images."""
    if loss == "image":
        return None
    targets = np.fromfile(path, np.uint8).astype(np.int64)
    return targets.reshape(len(inputs), *inputs.shape[1:-1]) if loss == "masks" else targets
