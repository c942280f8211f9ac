"""RatNet in ONNX Runtime on a GPU: the CUDA provider with inputs and outputs bound to device
memory, a CUDA graph for batches that stay there, three sessions in threads for those that come from
the host. It has no bf16 and no training."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime

from gpu_contender import (
    MOST_AT_ONCE,
    SCALE,
    Clock,
    NotHere,
    arguments,
    latency,
    part_of,
    parts_of,
    pixels,
    rate,
    serve,
)
from onnx_ratnet import network
from weights import load_weights

chosen = arguments(__doc__)
gpu = chosen.device == "cuda"
precisions = ["f32", "tf32"] if gpu else ["f32"]


def about():
    if gpu and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise NotHere(f"onnxruntime {onnxruntime.__version__} has no CUDA provider")
    slices = np.fromfile(chosen.inputs, np.uint8).reshape(-1, 1, 64, 64)
    inputs = {"image": slices, "scale": scales_of(len(slices))}
    for precision in precisions:
        logits = session_of(precision, "u8", logits=True).run(None, inputs)[0]
        logits.tofile(f"{chosen.outputs}.{precision}")
    return {
        "contender": "onnxruntime",
        "precisions": precisions,
        "versions": {"onnxruntime": onnxruntime.__version__},
    }


def scales_of(count):
    return np.full((count, 1, 1, 1), SCALE, np.float32)


def session_of(precision, kind, logits=False, graph=False):
    if precision not in precisions:
        raise NotHere(f"ONNX Runtime has no {precision} on {chosen.device}")
    cuda = {
        "use_tf32": int(precision == "tf32"),
        "cudnn_conv_algo_search": "EXHAUSTIVE",
        "enable_cuda_graph": int(graph),
    }
    model = network(load_weights(chosen.model), pixels=kind == "u8", logits=logits)
    providers = [("CUDAExecutionProvider", cuda)] if gpu else ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(model, providers=providers)
    if gpu and session.get_providers()[0] != "CUDAExecutionProvider":
        raise NotHere("ONNX Runtime's CUDA provider does not start here")
    return session


class Slot:
    """A batch on the device and a session bound to it."""

    def __init__(self, precision, kind, batch, graph=False):
        self.session = session_of(precision, kind, graph=graph and gpu)
        images = pixels(batch) if kind == "u8" else pixels(batch).astype(np.float32) * SCALE
        self.inputs = {"image": self.on_device(images)}
        if kind == "u8":
            self.inputs["scale"] = self.on_device(scales_of(batch))
        self.output = self.on_device(np.zeros((batch, 2), np.float32))
        self.binding = self.session.io_binding()
        for name, value in self.inputs.items():
            self.binding.bind_ortvalue_input(name, value)
        self.binding.bind_ortvalue_output("probability", self.output)
        self.options = onnxruntime.RunOptions()

    @staticmethod
    def on_device(values):
        return onnxruntime.OrtValue.ortvalue_from_numpy(values, chosen.device, 0)

    def do_not_wait(self):
        self.options.add_run_config_entry("disable_synchronize_execution_providers", "1")

    def run(self):
        self.session.run_with_iobinding(self.binding, self.options)

    def compute(self, images, scales):
        self.inputs["image"].update_inplace(images)
        self.inputs["scale"].update_inplace(scales)
        self.run()
        return self.output.numpy()


def resident(precision, kind, batch):
    size = min(batch, MOST_AT_ONCE)
    slot = Slot(precision, kind, size, graph=True)
    slot.run()  # captures
    slot.do_not_wait()

    def work():  # all parts are the same one: that costs no less
        for _ in range(batch // size):
            slot.run()

    return rate(Clock(work, slot.binding.synchronize_outputs, chosen.quick), batch)


def host_to_host(precision, kind, count):
    parts = parts_of(count, part_of(count))
    slots = [Slot(precision, kind, part_of(count)) for _ in parts[:3]]
    x, scales, y = pixels(count), scales_of(count), np.zeros((count, 2), np.float32)

    def compute(first):
        for part in parts[first :: len(slots)]:
            y[part] = slots[first].compute(x[part], scales[part])

    threads = ThreadPoolExecutor(len(slots))
    return rate(
        Clock(lambda: list(threads.map(compute, range(len(slots)))), lambda: None, chosen.quick),
        count,
    )


def one_slice(precision, kind):
    slot = Slot(precision, kind, 1)
    x, scales = pixels(1), scales_of(1)
    return latency(lambda: slot.compute(x, scales), chosen.quick)


def prepare(words):
    match words:
        case ["inference", "resident", precision, kind, batch]:
            return resident(precision, kind, int(batch))
        case ["inference", "host", precision, kind, count]:
            return host_to_host(precision, kind, int(count))
        case ["latency", precision, kind]:
            return one_slice(precision, kind)
    raise NotHere(f"ONNX Runtime has no {words[0]}")


if __name__ == "__main__":
    serve(about, prepare)
