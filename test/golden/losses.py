"""Writes losses.json beside this file: what segmentation_models.pytorch, PyTorch and the papers make of logits and masks.

python3 -m venv venv && venv/bin/pip install segmentation-models-pytorch==0.6.0 numpy
venv/bin/python test/golden/losses.py
"""

import json
import pathlib

import numpy as np
import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.losses import _functional as scores

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190619)
SHAPE = (3, 6, 7, 1)
IMAGE, BATCH = (1, 2, 3), (0, 1, 2, 3)


def draw_masks():
    """A blob in the first image, a few pixels in the second, none in the third."""
    masks = np.zeros(SHAPE)
    masks[0, 1:4, 2:6] = 1
    masks[1, 5, 0:2] = 1
    return masks


def draw_logits(deviation):
    """Short decimals, as float32 holds them."""
    return np.float64(np.float32(RNG.normal(0, deviation, SHAPE).round(4)))


MASKS = draw_masks()
SIGNS = 2 * MASKS - 1
# Which logits meet which masks; a gradient is stored where no two errors are alike, so that there is but one.
CASES = {
    "random": (draw_logits(2), MASKS, True),
    "confident": (draw_logits(8), MASKS, True),
    "perfect": (50 * SIGNS, MASKS, False),
    "wrong": (-50 * SIGNS, MASKS, False),
    "extreme": (50 * RNG.choice([-1.0, 1.0], SHAPE), MASKS, False),
    "undecided": (np.zeros(SHAPE), MASKS, False),
    "empty": (draw_logits(2), np.zeros(SHAPE), True),
    "full": (draw_logits(2), np.ones(SHAPE), True),
    "nothing found": (np.full(SHAPE, -50.0), MASKS, False),
    "empty, nothing found": (np.full(SHAPE, -50.0), np.zeros(SHAPE), False),
    "empty, all found": (np.full(SHAPE, 50.0), np.zeros(SHAPE), False),
}


def bce(x, z, pos_weight):
    return smp.losses.SoftBCEWithLogitsLoss(pos_weight=torch.tensor(pos_weight, dtype=torch.float64))(x, z)


def axes(per):
    return IMAGE if per == "image" else BATCH


def dice(x, z, smooth, per):
    """The library's score, which adds its smooth twice; its loss object leaves empty masks out, which ours does not."""
    return (1 - scores.soft_dice_score(torch.sigmoid(x), z, smooth / 2, eps=0, dims=axes(per))).mean()


def tversky(x, z, alpha, beta, smooth, per):
    score = scores.soft_tversky_score(torch.sigmoid(x), z, alpha, beta, smooth, eps=0, dims=axes(per))
    return (1 - score).mean()


def focal(x, z, gamma, alpha):
    return scores.focal_loss_with_logits(x, z, gamma=gamma, alpha=alpha, reduction="mean")


def jaccard_loss(wrong, mask):
    """Berman et al., equation 6: |M| / |mask or M| of the set M of wrong pixels."""
    return 0.0 if not wrong.any() else wrong.sum().item() / (wrong | mask).sum().item()


def lovasz_extension(errors, mask):
    """Equations 8 and 9, set by set: the sum of m_i · (loss of the i largest errors' pixels, less that of one fewer)."""
    total, wrong, before = torch.zeros((), dtype=torch.float64), torch.zeros_like(mask), 0.0
    for place in torch.argsort(errors, descending=True, stable=True):
        wrong[place] = True
        after = jaccard_loss(wrong, mask)
        total = total + errors[place] * (after - before)
        before = after
    return total


def lovasz(x, z, per, symmetric, empty_weight):
    rows = x.shape[0] if per == "image" else 1
    losses = []
    for logits, mask in zip(x.reshape(rows, -1), z.reshape(rows, -1) > 0.5):
        errors = torch.relu(1 - logits * (2.0 * mask - 1))
        loss = lovasz_extension(errors, mask)
        if symmetric:
            loss = (loss + lovasz_extension(errors, ~mask)) / 2
        losses.append(loss * (1 if mask.any() else empty_weight))
    value = torch.stack(losses).mean()
    if not symmetric and empty_weight == 1:
        # The library's is in float32 alone.
        peer = smp.losses.LovaszLoss("binary", per_image=per == "image")(x.float().squeeze(-1), z.float().squeeze(-1))
        assert abs(peer.item() - value.item()) < 1e-6 * max(1, value.item()), (peer, value)
    return value


CONFIGS = {
    "bce": (bce, [{"pos_weight": 1.0}, {"pos_weight": 3.5}]),
    "dice": (dice, [{"smooth": s, "per": per} for s in (1.0, 0.01) for per in ("image", "batch")]),
    "focal": (focal, [{"gamma": 2.0, "alpha": 0.25}, {"gamma": 0.5, "alpha": 0.75}, {"gamma": 0.0, "alpha": 0.5}]),
    "lovasz": (
        lovasz,
        [
            {"per": "image", "symmetric": False, "empty_weight": 1.0},
            {"per": "image", "symmetric": True, "empty_weight": 1.0},
            {"per": "image", "symmetric": False, "empty_weight": 0.25},
            {"per": "batch", "symmetric": False, "empty_weight": 1.0},
            {"per": "batch", "symmetric": True, "empty_weight": 1.0},
        ],
    ),
    "tversky": (
        tversky,
        [
            {"alpha": 0.3, "beta": 0.7, "smooth": 1.0, "per": "batch"},
            {"alpha": 0.3, "beta": 0.7, "smooth": 1.0, "per": "image"},
            {"alpha": 1.0, "beta": 1.0, "smooth": 0.1, "per": "image"},
        ],
    ),
}


def evaluate(loss, settings, logits, masks, differentiate):
    """In float64, from which ours, in float32, may differ by rounding."""
    x = torch.tensor(logits, requires_grad=True)
    value = loss(x, torch.tensor(masks), **settings)
    result = {"value": value.item()}
    if differentiate:
        errors = torch.relu(1 - x.detach().ravel() * torch.tensor(2 * masks - 1).ravel())
        wrong = errors[errors > 0]
        assert len(wrong.unique()) == len(wrong) and (logits.ravel() * (2 * masks - 1).ravel() != 1).all()
        value.backward()
        result["gradient"] = [float(f"{slope:.7g}") for slope in x.grad.ravel().tolist()]
    return result


def short(array):
    return [float(f"{value:.6g}") for value in np.ravel(array)]


golden = {
    "torch": torch.__version__,
    "segmentation_models_pytorch": smp.__version__,
    "shape": SHAPE,
    "cases": {name: {"logits": short(x), "masks": short(z)} for name, (x, z, _) in CASES.items()},
    "losses": [
        {"config": {"name": name, **settings}, "case": case, **evaluate(loss, settings, *CASES[case])}
        for name, (loss, variants) in CONFIGS.items()
        for settings in variants
        for case in CASES
    ],
}
(HERE / "losses.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
