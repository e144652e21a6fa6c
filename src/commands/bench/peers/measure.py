"""What the Python peers share: the tensors that the bench wrote, timing, peak memory."""

import json
import statistics
import time

import numpy as np

WARM_UP = 2


def die_first():
    """Where memory runs out, the kernel ends this process and not a neighbour."""
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def read_tensors(path):
    """A safetensors file of F32 arrays, in its order. https://huggingface.co/docs/safetensors"""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(body[start:end], np.float32).reshape(entry["shape"])
    return tensors


def take_batch(tensors):
    """Images (0 to 255) and masks (0 or 1), uint8 [N,R,R,1]; what stays are the weights."""
    return [tensors.pop(f"batch/{name}").astype(np.uint8) for name in ("images", "masks")]


def time_steps(step, steps):
    """The first value that `step` returns, and milliseconds of `steps` calls after the warm-up."""
    first = [step() for _ in range(WARM_UP)][0]
    milliseconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        milliseconds.append(1000 * (time.perf_counter() - start))
    return first, {"median_ms": statistics.median(milliseconds), "min_ms": min(milliseconds)}


def peak_rss_bytes():
    """The most memory that was resident. Not ru_maxrss, which begins with what the parent had."""
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def report_training(step, steps, parameters, versions):
    first_loss, times = time_steps(step, steps)
    report({**times, "first_loss": first_loss, "parameters": parameters, "versions": versions})


def report_prediction(predict, steps, images, versions):
    _, times = time_steps(predict, steps)
    report({**times, "images_per_second": 1000 * images / times["median_ms"], "versions": versions})


def report(figures):
    print(json.dumps({**figures, "peak_rss_bytes": peak_rss_bytes()}), flush=True)
