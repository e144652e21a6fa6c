"""Writes dicom-phantom.json beside this file: what pydicom and Pillow decode of 50 phantom radiographs (JPEG Baseline).

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 pydicom==3.0.2 pillow==13.0.0
npm run phantom out=data/golden images=50 seed=42 && venv/bin/python test/golden/dicom-phantom.py data/golden
"""

import base64
import hashlib
import json
import pathlib
import sys

import numpy as np
import pydicom

HERE = pathlib.Path(__file__).parent
FILES = 50
BLOCK = 64
STEP = 37


def describe(path):
    data_set = pydicom.dcmread(path)
    data_set.pixel_array_options(decoding_plugin="pillow")
    pixels = data_set.pixel_array
    means = pixels.reshape(pixels.shape[0] // BLOCK, BLOCK, -1, BLOCK).mean(axis=(1, 3))
    return {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "min": int(pixels.min()),
        "max": int(pixels.max()),
        # Means of blocks of 64², in 1/256 of a grey level.
        "means": base64.b64encode(np.round(means * 256).astype("<u2").tobytes()).decode(),
        # Every 37th pixel of every 37th row.
        "pixels": base64.b64encode(pixels[::STEP, ::STEP].tobytes()).decode(),
        "pixelsSha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
    }


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).rglob("*.dcm"), key=lambda path: path.stem)[:FILES]
    assert len(paths) == FILES, len(paths)
    golden = {path.stem: describe(path) for path in paths}
    (HERE / "dicom-phantom.json").write_text(json.dumps(golden, indent=1) + "\n")


main()
