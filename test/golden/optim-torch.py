"""Writes optim-torch.json beside this file: PyTorch's learning rates by its schedulers, and its SGD's updates.

python3 -m venv venv && venv/bin/pip install torch numpy
venv/bin/python test/golden/optim-torch.py
"""

import json
import pathlib

import numpy as np
import torch
from torch.optim import lr_scheduler as schedulers

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190619)
LR, MIN_LR = 0.2, 0.01


def optimizer(lr=LR):
    return torch.optim.SGD([torch.zeros(1, dtype=torch.float64, requires_grad=True)], lr=lr, momentum=0.9)


def rates(make, count, lr=LR):
    """The rate of each of `count` updates or epochs."""
    owner = optimizer(lr)
    scheduler = make(owner)
    found = []
    for _ in range(count):
        found.append(owner.param_groups[0]["lr"])
        owner.step()
        scheduler.step()
    return found


def by_update(config, make, updates):
    return {"config": {"lr": LR, **config}, "updates": updates, "rates": rates(make, updates)}


def warmed(owner, warmup, updates):
    rise = schedulers.LinearLR(owner, start_factor=1 / warmup, total_iters=warmup - 1)
    fall = schedulers.CosineAnnealingLR(owner, T_max=updates - warmup, eta_min=MIN_LR)
    return schedulers.SequentialLR(owner, [rise, fall], milestones=[warmup])


def one_cycle(owner, updates, **settings):
    start, last = LR * settings.pop("start"), settings.pop("min_lr")
    return schedulers.OneCycleLR(
        owner, max_lr=LR, total_steps=updates, div_factor=LR / start, final_div_factor=start / last, **settings
    )


def plateau(scores, **settings):
    """The rate of each epoch, those before it being scored."""
    owner = optimizer()
    scheduler = schedulers.ReduceLROnPlateau(owner, mode="max", threshold_mode="abs", min_lr=MIN_LR, **settings)
    found = []
    for score in scores:
        found.append(owner.param_groups[0]["lr"])
        scheduler.step(score)
    config = {"name": "plateau", "lr": LR, "min_lr": MIN_LR, **settings}
    return {"config": config, "scores": scores, "rates": found}


def by_epoch(config, make, epochs):
    return {"config": {"lr": LR, **config}, "epochs": epochs, "rates": rates(make, epochs)}


def schedules():
    floor = {"min_lr": MIN_LR}
    yield by_update({"name": "constant"}, lambda owner: schedulers.ConstantLR(owner, factor=1), 5)
    cosine = {"name": "cosine", **floor}
    yield by_update(cosine, lambda owner: schedulers.CosineAnnealingLR(owner, T_max=30, eta_min=MIN_LR), 30)
    yield by_update({**cosine, "warmup_updates": 6}, lambda owner: warmed(owner, 6, 30), 30)
    for cycles, growth, first in ((3, 2, 7), (4, 1, 10)):
        updates = sum(first * growth**cycle for cycle in range(cycles))
        yield by_update(
            {"name": "warm_restarts", **floor, "cycles": cycles, "growth": growth},
            lambda owner: schedulers.CosineAnnealingWarmRestarts(owner, T_0=first, T_mult=growth, eta_min=MIN_LR),
            updates,
        )
    for shape, anneal in (("cosine", "cos"), ("linear", "linear")):
        settings = {"start": 0.1, "min_lr": 1e-4}
        yield by_update(
            {"name": "one_cycle", **settings, "rise": 0.25, "shape": shape},
            lambda owner: one_cycle(owner, 40, **settings, pct_start=0.25, anneal_strategy=anneal),
            40,
        )
    for shrink, mode in ((1, "triangular"), (0.5, "triangular2")):
        yield by_update(
            {"name": "cyclical", **floor, "cycles": 3, "shrink": shrink},
            lambda owner: schedulers.CyclicLR(owner, MIN_LR, LR, step_size_up=7, mode=mode, cycle_momentum=False),
            42,
        )
    step = {"name": "step", "every_epochs": 3, "factor": 0.5}
    yield by_epoch(step, lambda owner: schedulers.StepLR(owner, step_size=3, gamma=0.5), 12)
    rising = [0.5, 0.6, 0.6, 0.6004, 0.6, 0.7, 0.6, 0.6, 0.6, 0.6, 0.71, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7]
    yield plateau(rising, factor=0.5, patience=2, threshold=1e-3, cooldown=0)
    yield plateau(rising, factor=0.1, patience=0, threshold=0.0, cooldown=3)
    yield plateau([float(score) for score in RNG.uniform(0.6, 0.7, 40).round(3)], factor=0.6, patience=3, threshold=1e-4, cooldown=2)


def stored(tensor):
    return {"shape": list(tensor.shape), "values": [float(str(np.float32(value))) for value in tensor.ravel().tolist()]}


def draw(shape):
    return torch.tensor(RNG.normal(0, 1, shape).round(2), dtype=torch.float32)


def sgd(momentum, nesterov):
    """Five updates of a kernel and a bias, each at another rate."""
    weights = {"kernel": draw([3, 4]).requires_grad_(), "bias": draw([4]).requires_grad_()}
    steps = torch.optim.SGD(weights.values(), lr=1, momentum=momentum, nesterov=nesterov)
    start = {name: stored(weight.detach()) for name, weight in weights.items()}
    updates = []
    for lr in (0.1, 0.1, 0.05, 0.2, 0.01):
        steps.param_groups[0]["lr"] = lr
        gradients = {}
        for name, weight in weights.items():
            weight.grad = draw(weight.shape)
            gradients[name] = stored(weight.grad)
        steps.step()
        after = {name: stored(weight.detach()) for name, weight in weights.items()}
        updates.append({"lr": lr, "gradients": gradients, "weights": after})
    return {"config": {"name": "sgd", "momentum": momentum, "nesterov": nesterov}, "start": start, "updates": updates}


golden = {
    "torch": torch.__version__,
    "schedules": list(schedules()),
    "optimizers": [sgd(0.9, True), sgd(0.9, False), sgd(0.0, False)],
}
(HERE / "optim-torch.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
