"""Writes score-random.json beside this file: a label file and 200 random submissions, with what numpy makes of their scores,
pixel by pixel at 1024².

python3 -m venv venv && venv/bin/pip install numpy==2.2.6 && venv/bin/python test/golden/score-random.py
"""

import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190621)
SIDE = 1024
IMAGES = [f"image-{i}" for i in range(8)]


def decode(code):
    """Column-major pixels of a code; the order of pixels does not matter to areas."""
    pixels = np.zeros(SIDE * SIDE, bool)
    if code == "-1":
        return pixels
    numbers = [int(token) for token in code.split()]
    position = 0
    for gap, length in zip(numbers[::2], numbers[1::2]):
        position += gap
        pixels[position : position + length] = True
        position += length
    return pixels


def random_code():
    """A few runs in a few columns, so that masks of one image often overlap; now and then one to the last pixel."""
    if RNG.random() < 0.35:
        return "-1"
    if RNG.random() < 0.1:
        length = int(RNG.integers(1, 3000))
        return f"{SIDE * SIDE - length} {length}"
    tokens = [int(RNG.integers(400_000, 410_000))]
    for run in range(int(RNG.integers(1, 4))):
        tokens += ([] if run == 0 else [int(RNG.integers(0, 2000))]) + [int(RNG.integers(1, 5000))]
    return " ".join(str(token) for token in tokens)


def random_rows(images):
    rows = [(image, random_code()) for image in images]
    for image, code in list(rows):
        # Further rows of an image with a mask: another part of it, or the very same one.
        if code != "-1" and RNG.random() < 0.3:
            rows.append((image, code if RNG.random() < 0.3 else random_code().replace("-1", "5 5")))
    return [rows[i] for i in RNG.permutation(len(rows))]


def unite(rows):
    masks = {}
    for image, code in rows:
        masks[image] = masks.get(image, False) | decode(code)
    return masks


def scores(submission, truth):
    dice, iou, positive, predicted = [], [], [], []
    for image, mask in submission.items():
        both = int((mask & truth[image]).sum())
        total = int(mask.sum() + truth[image].sum())
        dice.append(1.0 if total == 0 else 2 * both / total)
        iou.append(1.0 if total == 0 else both / (total - both))
        positive.append(bool(truth[image].any()))
        predicted.append(bool(mask.any()))
    dice, positive, predicted = np.array(dice), np.array(positive), np.array(predicted)

    def mean(values):
        return float(np.mean(values)) if len(values) else None

    return {
        "images": len(dice),
        "positives": int(positive.sum()),
        "dice": mean(dice),
        "dice_positive": mean(dice[positive]),
        "dice_empty": mean(dice[~positive]),
        "iou": mean(iou),
        "confusion": [
            int((positive & predicted).sum()),
            int((positive & ~predicted).sum()),
            int((~positive & predicted).sum()),
            int((~positive & ~predicted).sum()),
        ],
    }


def as_csv(rows):
    return "".join(f"{image},{code}\n" for image, code in rows)


truth_rows = random_rows(IMAGES)
truth = unite(truth_rows)
cases = []
for _ in range(200):
    chosen = [image for image in IMAGES if RNG.random() < 0.7] or IMAGES[:1]
    rows = random_rows(chosen)
    cases.append({"csv": as_csv(rows), **scores(unite(rows), truth)})
golden = {"truth": as_csv(truth_rows), "cases": cases}
(HERE / "score-random.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
