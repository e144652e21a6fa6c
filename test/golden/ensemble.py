"""Writes ensemble.json beside this file: the stored probabilities of two members, as files by their description in
docs/reference/files.md, and their weighted average by scipy, read back from these very files.

python3 -m venv venv && venv/bin/pip install numpy==2.2.6 scipy==1.15.3 && venv/bin/python test/golden/ensemble.py
"""

import base64
import hashlib
import json
import pathlib
import struct
import zlib

import numpy as np
from scipy import ndimage

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190905)
IMAGES = ["a", "b", "c"]
SIZE = 48
TAIL = 32 + 4 + 8


def write_store(resolution, presences):
    chunks = [zlib.compress(RNG.integers(0, 256, (resolution, resolution), np.uint8).tobytes(), 1) for _ in IMAGES]
    index = {
        "resolution": resolution,
        "checkpoint": f"network at {resolution}",
        "tta": ["none", "hflip"],
        "sha256": hashlib.sha256(b"".join(chunks)).hexdigest(),
        "ids": IMAGES,
        "lengths": [len(chunk) for chunk in chunks],
    }
    if presences:
        index["presences"] = [round(float(p), 3) for p in RNG.random(len(IMAGES))]
    text = json.dumps(index).encode()
    return b"".join(chunks) + text + hashlib.sha256(text).digest() + struct.pack("<I", len(text)) + b"PROBMAP1"


def read_store(store):
    (length,) = struct.unpack("<I", store[-TAIL:][32:36])
    index = json.loads(store[-TAIL - length : -TAIL])
    maps, start = {}, 0
    for image, size in zip(index["ids"], index["lengths"]):
        raw = zlib.decompress(store[start : start + size])
        maps[image] = np.frombuffer(raw, np.uint8).reshape(index["resolution"], -1).astype(np.float64) / 255
        start += size
    return maps, index


def upsample(probabilities):
    zoom = SIZE / probabilities.shape[0]
    return ndimage.zoom(probabilities, zoom, order=1, mode="nearest", grid_mode=True)


WEIGHTS = [1, 3]
stores = [write_store(12, True), write_store(16, False)]
members = [read_store(store) for store in stores]
average = {
    image: sum(w * upsample(maps[image]) for w, (maps, _) in zip(WEIGHTS, members)) / sum(WEIGHTS) for image in IMAGES
}
golden = {
    "size": SIZE,
    "weights": WEIGHTS,
    "stores": [base64.b64encode(store).decode() for store in stores],
    "presences": members[0][1]["presences"],
    "average": {image: [round(float(p), 9) for p in mean.ravel()] for image, mean in average.items()},
}
(HERE / "ensemble.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
