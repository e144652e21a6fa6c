"""Writes postprocess-steps.json beside this file: what scipy and numpy make of the steps after a network, on small random masks
and maps; and of every third mask of the competition's real label file the digest of its components, in which OpenCV and scipy agree.

python3 -m venv venv && venv/bin/pip install numpy==2.2.6 scipy==1.15.3 opencv-python-headless==4.11.0.86
python3 -m pip download --no-deps torchxrayvision==1.5.7 && unzip torchxrayvision*.whl '*siim-pneumothorax-train-rle.csv.gz'
venv/bin/python test/golden/postprocess-steps.py <the .csv.gz>
"""

import csv
import gzip
import hashlib
import json
import pathlib
import sys

import cv2
import numpy as np
from scipy import ndimage

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190904)
SIDE = 1024
ALL_NEIGHBOURS = np.ones((3, 3))


def digits(mask):
    return "".join("01"[int(p)] for p in mask.ravel())


def mask_case(side, density, count):
    mask = RNG.random((side, side)) < density
    labels, found = ndimage.label(mask, structure=ALL_NEIGHBOURS)
    areas = ndimage.sum_labels(mask, labels, range(1, found + 1)).astype(int)
    firsts = [int(np.flatnonzero(labels.ravel() == 1 + i)[0]) for i in range(found)]
    largest = sorted(range(found), key=lambda i: (-areas[i], firsts[i]))[:count]
    return {
        "side": side,
        "mask": digits(mask),
        "filled": digits(ndimage.binary_fill_holes(mask)),
        "count": count,
        "largest": digits(np.isin(labels, [1 + i for i in largest])),
    }


def map_case(side, pixels, above, score):
    probabilities = RNG.integers(0, 256, (side, side))
    mean = probabilities.astype(np.float64) / 255
    return {
        "side": side,
        "probabilities": probabilities.ravel().tolist(),
        "pixels": pixels,
        "above": above,
        "max": float(mean.max()),
        "top_mean": float(np.sort(mean.ravel())[-pixels:].mean()),
        "sum": float(mean[mean > above].sum()),
        "score": score,
        "over_score": int((mean > score).sum()),
    }


def decode(codes):
    mask = np.zeros(SIDE * SIDE, np.uint8)
    for code in codes:
        numbers = [int(token) for token in code.split()]
        position = 0
        for gap, length in zip(numbers[::2], numbers[1::2]):
            position += gap
            mask[position : position + length] = 1
            position += length
    return np.ascontiguousarray(mask.reshape(SIDE, SIDE).T)


def components(labels, found):
    """Area, first pixel and sum of all pixels' places of each component, in the order of first pixels."""
    flat = labels.ravel()
    places = np.flatnonzero(flat)
    number = flat[places]
    areas = np.bincount(number, minlength=found + 1)[1:]
    sums = np.zeros(found + 1, np.int64)
    np.add.at(sums, number, places)
    firsts = np.full(found + 1, SIDE * SIDE, np.int64)
    np.minimum.at(firsts, number, places)
    rows = sorted(zip(firsts[1:].tolist(), areas.tolist(), sums[1:].tolist()))
    return ";".join(f"{first},{area},{total}" for first, area, total in rows)


def real_digest(path):
    masks = {}
    with gzip.open(path, "rt") as file:
        rows = csv.reader(file)
        next(rows)
        for image, code in rows:
            if code.strip() != "-1":
                masks.setdefault(image.strip(), []).append(code)
    digest = hashlib.sha256()
    count = 0
    for image in sorted(masks)[::3]:
        mask = decode(masks[image])
        labels, found = ndimage.label(mask, structure=ALL_NEIGHBOURS)
        theirs, other = cv2.connectedComponents(mask, connectivity=8)
        line = components(labels, found)
        assert line == components(other, theirs - 1), image
        holes = int(ndimage.binary_fill_holes(mask).sum() - mask.sum())
        digest.update(f"{line} {holes}\n".encode())
        count += 1
    return {"masks": count, "sha256": digest.hexdigest()}


golden = {
    "masks": [mask_case(*case) for case in [(8, 0.5, 2), (16, 0.3, 3), (16, 0.55, 1), (24, 0.6, 5), (24, 0.7, 1)]],
    "maps": [map_case(*case) for case in [(8, 5, 0.5, 0.75), (16, 40, 0.25, 0.9), (16, 1, 0.0, 0.1)]],
    "real": real_digest(sys.argv[1]),
}
(HERE / "postprocess-steps.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
