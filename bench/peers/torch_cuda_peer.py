"""RatNet in PyTorch on a GPU, as fast as it goes there: torch.compile with max-autotune, channels
last, every batch a CUDA graph, copies from pinned memory on streams of their own. Large batches go
in parts, which is faster and keeps the activations small. bf16: weights and activations in
inference, autocast in training, whose batches are uploaded as u8."""

import os
import sys

import torch
from torch import nn

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
from torch_ratnet import RatNet

chosen = arguments(__doc__)
gpu = chosen.device == "cuda"
device = torch.device(chosen.device)


def about():
    if gpu and not torch.cuda.is_available():
        raise NotHere(f"torch {torch.__version__} finds no GPU")
    # Every batch size, type and precision is compiled by itself; beyond a limit torch would run
    # what it did not compile.
    torch._dynamo.config.recompile_limit = 1000
    torch._dynamo.config.accumulated_recompile_limit = 1000
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    slices = torch.from_file(chosen.inputs, size=os.path.getsize(chosen.inputs), dtype=torch.uint8)
    slices = slices.reshape(-1, 1, 64, 64).to(device)
    precisions = ["f32", "tf32", "bf16"] if gpu else ["f32", "bf16"]
    for precision in precisions:
        set_precision(precision)
        network = Inference(precision, softmax=False)
        with torch.inference_mode():
            logits = network(slices, scales_of(len(slices)))
        logits.float().cpu().numpy().tofile(f"{chosen.outputs}.{precision}")
    return {
        "contender": "torch",
        "precisions": precisions,
        "versions": {
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        },
        "description": torch.cuda.get_device_name() if gpu else "cpu",
    }


def set_precision(precision):
    torch.set_float32_matmul_precision("highest" if precision == "f32" else "high")
    torch.backends.cudnn.allow_tf32 = precision != "f32"
    torch.backends.cudnn.benchmark = True


def scales_of(count):
    return torch.full((count, 1, 1, 1), SCALE, device=device)


def host_memory(shape, dtype):
    return torch.zeros(shape, dtype=dtype, pin_memory=gpu)


def compiled(module):
    return torch.compile(module, mode="max-autotune-no-cudagraphs", dynamic=False, fullgraph=True)


class Inference(nn.Module):
    """u8 and a factor for every slice, or f32, to probabilities, or to logits."""

    def __init__(self, precision, softmax=True):
        super().__init__()
        self.type = torch.bfloat16 if precision == "bf16" else torch.float32
        self.network = RatNet(chosen.model)
        self.network.to(device, self.type, memory_format=torch.channels_last).eval()
        self.softmax = softmax

    def forward(self, x, scales):
        if x.dtype == torch.uint8:
            x = x.float() * scales
        x = self.network(x.to(self.type).contiguous(memory_format=torch.channels_last))
        return torch.softmax(x.float(), 1) if self.softmax else x


networks = {}


def network_of(precision, kind, batch):
    """Compiled for one size of batch; made once."""
    set_precision(precision)
    key = precision, kind, batch
    if key not in networks:
        networks[key] = compiled(Inference(precision))
    return networks[key]


def captured(work):
    """work as a CUDA graph, as a function that runs it on the current stream."""
    if not gpu:
        return work
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def wait():
    if gpu:
        torch.cuda.synchronize()


class Slot:
    """A batch on the device, with its captured network and a stream."""

    def __init__(self, precision, kind, batch, parts=None):
        parts = parts or [slice(0, batch)]
        self.network = network_of(precision, kind, parts[0].stop)
        self.x = torch.from_numpy(pixels(batch)).to(device)
        if kind == "f32":
            self.x = self.x.float() * SCALE
        self.scales = scales_of(batch)
        self.y = torch.zeros((batch, 2), device=device)
        self.parts = parts
        self.stream = torch.cuda.Stream() if gpu else None
        with torch.inference_mode():
            self.run = captured(self.submit)

    def submit(self):
        with torch.inference_mode():
            for part in self.parts:
                self.y[part] = self.network(self.x[part], self.scales[part])


def resident(precision, kind, batch):
    slot = Slot(precision, kind, batch, parts_of(batch, min(batch, MOST_AT_ONCE)))
    return rate(Clock(slot.run, wait, chosen.quick), batch)


def host_to_host(precision, kind, count):
    size = part_of(count)
    parts = parts_of(count, size)
    slots = [Slot(precision, kind, size) for _ in parts[:3]]
    x = host_memory((count, 1, 64, 64), torch.uint8)
    x.copy_(torch.from_numpy(pixels(count)))
    scales = host_memory((count, 1, 1, 1), torch.float32).fill_(SCALE)
    y = host_memory((count, 2), torch.float32)

    def call():
        for i, part in enumerate(parts):
            slot = slots[i % len(slots)]
            with torch.cuda.stream(slot.stream):
                slot.x.copy_(x[part], non_blocking=True)
                slot.scales.copy_(scales[part], non_blocking=True)
                slot.run()
                y[part].copy_(slot.y, non_blocking=True)
        wait()

    return rate(Clock(call, wait, chosen.quick), count)


def one_slice(precision, kind):
    slot = Slot(precision, kind, 1)
    x, y = host_memory((1, 1, 64, 64), torch.uint8), host_memory((1, 2), torch.float32)
    x.copy_(torch.from_numpy(pixels(1)))

    def work():
        with torch.inference_mode():
            slot.x.copy_(x, non_blocking=True)
            slot.submit()
            y.copy_(slot.y, non_blocking=True)

    run = captured(work)  # the copies are in it

    def call():
        run()
        if gpu:
            torch.cuda.current_stream().synchronize()

    return latency(call, chosen.quick)


class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = RatNet(chosen.model).to(device, memory_format=torch.channels_last)
        self.loss = nn.CrossEntropyLoss()

    def forward(self, x, labels):
        x = (x.float() * SCALE).contiguous(memory_format=torch.channels_last)
        return self.loss(self.network(x), labels)


class TrainingSlot:
    """A batch on the device, and the whole step on it as a graph."""

    def __init__(self, step, batch):
        self.x = torch.from_numpy(pixels(batch)).to(device)
        self.labels = torch.arange(batch, device=device) % 2
        self.run = captured(lambda: step(self.x, self.labels))
        self.uploaded, self.used = (torch.cuda.Event(), torch.cuda.Event()) if gpu else (None, None)


def training(precision, batch):
    set_precision(precision)
    loss = Loss()
    loss_of = compiled(loss)
    optimiser = torch.optim.Adam(loss.parameters(), lr=1e-4, fused=True, capturable=gpu)

    def step(x, labels):
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(
            device.type, torch.bfloat16, enabled=precision == "bf16", cache_enabled=False
        ):
            value = loss_of(x, labels)
        value.backward()
        optimiser.step()

    slots = [TrainingSlot(step, batch) for _ in range(2)]
    x = host_memory((batch, 1, 64, 64), torch.uint8)
    x.copy_(torch.from_numpy(pixels(batch)))
    labels = host_memory((batch,), torch.int64)
    copies = torch.cuda.Stream() if gpu else None
    steps = 0

    def upload(slot):
        slot.x.copy_(x, non_blocking=True)
        slot.labels.copy_(labels, non_blocking=True)

    def work():
        nonlocal steps
        slot = slots[steps % 2]
        steps += 1
        if not gpu:
            upload(slot)
            slot.run()
            return
        with torch.cuda.stream(copies):
            copies.wait_event(slot.used)
            upload(slot)
            slot.uploaded.record()
        torch.cuda.current_stream().wait_event(slot.uploaded)
        slot.run()
        slot.used.record()

    clock = Clock(work, wait, chosen.quick)

    def measured():
        steps_per_s = 1 / clock.seconds()
        return {"steps_per_s": steps_per_s, "slices_per_s": steps_per_s * batch}

    return measured


def prepare(words):
    match words:
        case ["inference", "resident", precision, kind, batch]:
            return resident(precision, kind, int(batch))
        case ["inference", "host", precision, kind, count]:
            return host_to_host(precision, kind, int(count))
        case ["latency", precision, kind]:
            return one_slice(precision, kind)
        case ["training", precision, batch]:
            return training(precision, int(batch))
    raise NotHere(f"no measurement {'/'.join(words)}")


if __name__ == "__main__":
    serve(about, prepare)
    sys.stderr.flush()
    # Graphs and compiled code end in whatever order; the device takes back what they had.
    os._exit(0)
