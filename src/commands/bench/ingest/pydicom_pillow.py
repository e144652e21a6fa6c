"""What competitors do with the download: pydicom and Pillow, in two processes.

Reads a job as JSON from stdin: files, out, kind (png, cache or decode), level (of zlib, for png), resample
(lanczos or mean, for cache), side, processes.
Prints one JSON object: the seconds from making the processes to the last written image, and the bytes written.
"""

import io
import json
import multiprocessing
import os
import sys
import time

import numpy
import PIL
import pydicom
from PIL import Image
from pydicom.encaps import get_frame

JOB = json.load(sys.stdin)


def read(path):
    return Image.fromarray(pydicom.dcmread(path).pixel_array)


def shrink(image, side):
    if JOB["resample"] == "mean":
        # Pillow's fastest way to the exact mean of the pixels that a smaller one covers.
        return image.reduce((image.width // side, image.height // side))
    return image.resize((side, side), Image.Resampling.LANCZOS)


def write_png(item):
    index, path = item
    to = os.path.join(JOB["out"], f"{index}.png")
    read(path).save(to, compress_level=JOB["level"])
    return os.path.getsize(to)


def write_cached(item):
    index, path = item
    side = JOB["side"]
    cache = numpy.memmap(JOB["out"], numpy.uint8, "r+", shape=(len(JOB["files"]), side, side))
    cache[index] = shrink(read(path), side)
    return side * side


def decode(item):
    _, path = item
    stream = get_frame(pydicom.dcmread(path).PixelData, 0, number_of_frames=1)
    Image.open(io.BytesIO(stream)).load()
    return 0


WORK = {"png": write_png, "cache": write_cached, "decode": decode}


def main():
    if JOB["kind"] == "cache":
        with open(JOB["out"], "wb") as file:
            file.truncate(len(JOB["files"]) * JOB["side"] ** 2)
    started = time.perf_counter()
    with multiprocessing.Pool(JOB["processes"]) as pool:
        written = sum(pool.imap_unordered(WORK[JOB["kind"]], enumerate(JOB["files"]), chunksize=8))
    seconds = time.perf_counter() - started
    versions = {"pydicom": pydicom.__version__, "Pillow": PIL.__version__, "numpy": numpy.__version__}
    print(json.dumps({"seconds": seconds, "bytes": written, "versions": versions}))


if __name__ == "__main__":
    main()
