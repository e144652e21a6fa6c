"""Writes postprocess.json and dice.json beside this file: what scipy and numpy make of small random maps and masks.

python3 -m venv venv && venv/bin/pip install numpy==2.2.6 scipy==1.15.3 && venv/bin/python test/golden/make-postprocess.py
"""

import json
import pathlib

import numpy as np
from scipy import ndimage

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190619)
THRESHOLD = 0.45


def upsample(probabilities, size):
    """Bilinear with half-pixel centres and clamped edges: what scipy calls grid mode with nearest edges."""
    zoom = size / probabilities.shape[0]
    return ndimage.zoom(probabilities.astype(np.float64), zoom, order=1, mode="nearest", grid_mode=True)


def map_case(resolutions, weights, size):
    members = [RNG.integers(0, 256, (r, r)) for r in resolutions]
    maps = [upsample(member / 255, size) for member in members]
    mean = sum(w * m for w, m in zip(weights, maps)) / sum(weights)
    assert np.abs(mean - THRESHOLD).min() > 1e-6, "a tie would test rounding, not bilinear interpolation"
    return {
        "size": size,
        "threshold": THRESHOLD,
        "members": [
            {"resolution": r, "weight": w, "probabilities": m.ravel().tolist()}
            for r, w, m in zip(resolutions, weights, members)
        ],
        "mean": [round(float(p), 12) for p in mean.ravel()],
        "mask": "".join("1" if p > THRESHOLD else "0" for p in mean.ravel()),
    }


def component_case(side, density, least):
    mask = RNG.random((side, side)) < density
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = ndimage.sum_labels(mask, labels, range(1, count + 1)).astype(int)
    kept = np.isin(labels, 1 + np.flatnonzero(areas > least))
    return {
        "side": side,
        "mask": "".join("01"[int(p)] for p in mask.ravel()),
        "areas": sorted(areas.tolist()),
        "least": least,
        "kept": "".join("01"[int(p)] for p in kept.ravel()),
    }


def dice_case(side, density_p, density_t):
    p = RNG.random((side, side)) < density_p
    t = RNG.random((side, side)) < density_t
    total = int(p.sum() + t.sum())
    union = int((p | t).sum())
    return {
        "side": side,
        "prediction": "".join("01"[int(v)] for v in p.ravel()),
        "truth": "".join("01"[int(v)] for v in t.ravel()),
        "dice": 1.0 if total == 0 else 2 * int((p & t).sum()) / total,
        "iou": 1.0 if union == 0 else int((p & t).sum()) / union,
    }


def write(name, value):
    text = json.dumps(value, separators=(",", ":"))
    (HERE / name).write_text(text + "\n")


write(
    "postprocess.json",
    {
        "maps": [
            map_case([4], [1], 16),
            map_case([6], [3], 16),
            map_case([8], [1], 8),
            map_case([4, 6], [1, 2], 12),
            map_case([3, 8, 5], [0.5, 1, 0.25], 16),
        ],
        "components": [
            component_case(12, 0.2, 2),
            component_case(16, 0.35, 3),
            component_case(16, 0.5, 5),
            component_case(16, 0.7, 20),
        ],
    },
)
write("dice.json", [dice_case(10, *d) for d in [(0.3, 0.4), (0.05, 0.9), (0, 0.2), (0.2, 0), (0, 0), (1, 1)]])
