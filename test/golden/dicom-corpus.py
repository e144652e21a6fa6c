"""Writes dicom-corpus.json beside this file: what pydicom decodes of the 19 files that test/dicom/corpus.test.ts reads.

Packages as dicom-codecs.py says; then `venv/bin/python test/golden/dicom-corpus.py <folder of the files>`. pydicom needs
help with three of them; `sha256` is that of the stored values as little-endian int32.
"""

import base64
import csv
import hashlib
import json
import pathlib
import sys
import warnings

import imagecodecs
import pydicom
from pydicom.encaps import get_frame

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
LOSSY = ["1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.91"]
STEP = 37


def decode(root, name):
    if name == "pylibjpeg-data/RG2_JPLY.dcm":
        # Refused for a stray last byte, which RG2_JPLY_fixed.dcm lacks.
        name = "pylibjpeg-data/RG2_JPLY_fixed.dcm"
    ds = pydicom.dcmread(root / name, force=True)
    if name == "fo-dicom/CR-MONO1-10-chest":
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    if name == "fo-dicom/GH1376.dcm":
        # JPEG Lossless in a file that says uncompressed; libjpeg-turbo decodes it.
        return imagecodecs.jpeg_decode(get_frame(ds.PixelData, 0, number_of_frames=1)), "1.2.840.10008.1.2.4.57"
    return ds.pixel_array, ds.file_meta.TransferSyntaxUID


def describe(root, name):
    try:
        pixels, syntax = decode(root, name)
    except Exception as error:
        return {"refused": str(error)[:100]}
    values = pixels.astype("<i4")
    found = {"rows": values.shape[0], "columns": values.shape[1], "min": int(values.min()), "max": int(values.max())}
    found |= {"mean": round(float(values.mean()), 4), "sha256": hashlib.sha256(values.tobytes()).hexdigest()}
    if syntax in LOSSY:
        # Every 37th pixel of every 37th row: decoders may differ by one.
        found["sample"] = base64.b64encode(values[::STEP, ::STEP].astype("<i2").tobytes()).decode()
    return found


root = pathlib.Path(sys.argv[1])
names = [row["file"] for row in csv.DictReader((root / "manifest.csv").open())]
golden = {name: describe(root, name) for name in names}
(HERE / "dicom-corpus.json").write_text(json.dumps(golden, indent=1) + "\n")
