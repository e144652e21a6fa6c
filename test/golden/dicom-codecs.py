"""Writes dicom-codecs.json beside this file: a small grey picture in every transfer syntax, the values that pydicom
decodes of it, and what pydicom and OpenCV make of values by windows, look-up tables and CLAHE.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 pydicom==3.0.2 pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 \
    pylibjpeg-openjpeg==2.6.0 pyjpegls==1.5.1 imagecodecs==2026.3.6 opencv-python-headless==5.0.0.93
venv/bin/python test/golden/dicom-codecs.py
"""

import base64
import io
import json
import pathlib
import warnings

import cv2
import imagecodecs
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190619)
ROWS, COLUMNS = 16, 24
UID = "1.2.840.10008.1.2"


def b64(data):
    return base64.b64encode(bytes(data)).decode()


def picture(bits, signed=False, channels=1):
    """A smooth picture with noise over the whole range of its bits."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    planes = [(np.sin(x / 9 + c) * np.cos(y / 7 - c) + 1) / 2 for c in range(channels)]
    values = np.stack(planes, axis=-1) * (2**bits - 20) + RNG.integers(0, 20, (ROWS, COLUMNS, channels))
    values = np.round(values).clip(0, 2**bits - 1).astype(np.int64)
    if signed:
        values -= 2 ** (bits - 1)
    kind = np.int16 if signed else np.uint8 if bits == 8 else np.uint16
    return values.astype(kind)[..., 0] if channels == 1 else values.astype(kind)


def data_set(pixels, syntax, bits, photometric="MONOCHROME2"):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.SOPInstanceUID = "2.25.1"
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = photometric
    ds.BitsAllocated = 8 * pixels.dtype.itemsize
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    return ds


def saved(ds):
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def case(name, file, exact, values=None):
    ds = pydicom.dcmread(io.BytesIO(file))
    decoded = ds.pixel_array.astype("<i4") if values is None else values.astype("<i4")
    return {"name": name, "file": b64(file), "exact": exact, "values": b64(decoded.tobytes())}


def native(name, syntax, pixels, bits, photometric="MONOCHROME2"):
    ds = data_set(pixels, syntax, bits, photometric)
    big = syntax == UID + ".2"
    data = pixels.astype(pixels.dtype.newbyteorder(">" if big else "<"))
    ds.PixelData = data.tobytes()
    ds["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    return case(name, saved(ds), True, pixels)


def encapsulated(name, syntax, stream, pixels, bits, exact, values=None, photometric="MONOCHROME2"):
    ds = data_set(pixels, syntax, bits, photometric)
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    return case(name, saved(ds), exact, values)


def rle(name, pixels, bits, photometric="MONOCHROME2"):
    ds = data_set(pixels, UID + ".1", bits, photometric)
    ds.PixelData = pixels.tobytes()
    ds.compress(UID + ".5")
    return case(name, saved(ds), True, pixels)


def files():
    p8, p12, p16, s16 = picture(8), picture(12), picture(16), picture(16, signed=True)
    rgb = picture(8, channels=3)
    yield native("implicit, 12 bit", UID, p12, 12)
    yield native("explicit, 16 bit", UID + ".1", p16, 16)
    yield native("explicit, signed", UID + ".1", s16, 16)
    yield native("explicit, RGB", UID + ".1", rgb, 8, "RGB")
    yield native("big-endian, signed", UID + ".2", s16, 16)
    yield native("big-endian, 8 bit", UID + ".2", p8, 8)
    yield native("deflated, 16 bit", UID + ".1.99", p16, 16)
    yield rle("RLE, 8 bit", p8, 8)
    yield rle("RLE, signed", s16, 16)
    yield rle("RLE, RGB", rgb, 8, "RGB")
    for bits, pixels in ((8, p8), (12, p12), (16, p16), (16, s16)):
        kind = f"{bits} bit{', signed' if pixels.dtype.kind == 'i' else ''}"
        unsigned = pixels.view(np.uint16) if bits == 16 else pixels
        for predictor in (1, 4) if kind == "12 bit" else (1,):
            stream = imagecodecs.jpeg_encode(unsigned, lossless=True, predictor=predictor, bitspersample=bits)
            syntax = UID + (".4.70" if predictor == 1 else ".4.57")
            yield encapsulated(f"JPEG Lossless, {kind}, predictor {predictor}", syntax, stream, pixels, bits, True, pixels)
        stream = imagecodecs.jpegls_encode(unsigned)
        yield encapsulated(f"JPEG-LS, {kind}", UID + ".4.80", stream, pixels, bits, True, pixels)
        stream = imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", level=0, bitspersample=bits)
        yield encapsulated(f"JPEG 2000, {kind}", UID + ".4.90", stream, pixels, bits, True, pixels)
    stream = imagecodecs.jpegls_encode(p12, level=3)
    yield encapsulated("JPEG-LS near-lossless, 12 bit", UID + ".4.81", stream, p12, 12, True)
    stream = imagecodecs.jpeg2k_encode(p12, codecformat="j2k", level=45, bitspersample=12)
    yield encapsulated("JPEG 2000 lossy, 12 bit", UID + ".4.91", stream, p12, 12, False)
    stream = imagecodecs.jpeg_encode(p12, level=90, bitspersample=12)
    yield encapsulated("JPEG Extended, 12 bit", UID + ".4.51", stream, p12, 12, False)
    stream = imagecodecs.jpeg_encode(p8, level=90)
    yield encapsulated("JPEG Baseline, 8 bit", UID + ".4.50", stream, p8, 8, False)


def lut_item(first, bits, entries):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.LUTData = np.asarray(entries, "<u2").tobytes()
    item["LUTData"].VR = "OW"
    return item


def transforms():
    """pydicom's modality and VOI output, brought to 0 to 255 as a share of the range it documents."""
    stored = picture(12)

    def made(name, voi_range, **tags):
        ds = data_set(stored, UID + ".1", 12)
        ds.PixelData = stored.tobytes()
        ds["PixelData"].VR = "OW"
        for tag, value in tags.items():
            setattr(ds, tag, value)
        # US where the entries may be negative or not is decided by the pixels.
        modality = apply_modality_lut(stored, ds)
        shown = apply_voi_lut(modality, ds).astype(np.float64)
        low, high = voi_range
        grey = np.round((shown - low) / (high - low) * 255).clip(0, 255)
        return {"name": name, "file": b64(saved(ds)), "grey": b64(grey.astype(np.uint8).tobytes())}

    line = {"RescaleSlope": "1", "RescaleIntercept": "0"}
    full = (0, 4095)
    yield made("LINEAR", full, WindowCenter="1800", WindowWidth="2500", **line)
    yield made("LINEAR_EXACT", full, WindowCenter="1800", WindowWidth="2500", VOILUTFunction="LINEAR_EXACT", **line)
    yield made("SIGMOID", full, WindowCenter="1800", WindowWidth="900", VOILUTFunction="SIGMOID", **line)
    curve = np.round(np.sqrt(np.arange(3000) / 2999) * 1023).astype(int)
    yield made("VOI LUT before a window", (0, 1023), VOILUTSequence=Sequence([lut_item(200, 10, curve)]),
               WindowCenter="100", WindowWidth="10", **line)
    falling = np.round((1 - np.arange(4096) / 4095) ** 2 * 65535).astype(int)
    yield made("Modality LUT, then a window", (0, 65535), ModalityLUTSequence=Sequence([lut_item(0, 16, falling)]),
               WindowCenter="20000", WindowWidth="30000")


def equalised():
    for width, height, limit, tiles in ((64, 48, 2.0, 8), (53, 37, 3.0, 4), (96, 80, 40.0, 8)):
        y, x = np.mgrid[0:height, 0:width]
        noise = RNG.integers(0, 12, (height, width))
        image = ((np.sin(x / 17) * np.cos(y / 13) + 1) * 90 + 20 + noise).astype(np.uint8)
        result = cv2.createCLAHE(clipLimit=limit, tileGridSize=(tiles, tiles)).apply(image)
        yield {"width": width, "height": height, "clipLimit": limit, "tiles": tiles,
               "image": b64(image.tobytes()), "result": b64(result.tobytes())}


golden = {"rows": ROWS, "columns": COLUMNS, "files": list(files()), "transforms": list(transforms()),
          "clahe": list(equalised())}
(HERE / "dicom-codecs.json").write_text(json.dumps(golden, indent=1) + "\n")
