"""What competitors do with the download: pydicom and Pillow, in two processes.

Reads a job as JSON from stdin: files, out, kind (png or cache), level (of zlib, for png), side, processes.
Prints one JSON object: the seconds from making the processes to the last written image, and the bytes written.
"""

import json
import multiprocessing
import os
import sys
import time

import numpy
import PIL
import pydicom
from PIL import Image

JOB = json.load(sys.stdin)


def read(path):
    return Image.fromarray(pydicom.dcmread(path).pixel_array)


def write_png(item):
    index, path = item
    to = os.path.join(JOB["out"], f"{index}.png")
    read(path).save(to, compress_level=JOB["level"])
    return os.path.getsize(to)


def write_cached(item):
    index, path = item
    side = JOB["side"]
    cache = numpy.memmap(JOB["out"], numpy.uint8, "r+", shape=(len(JOB["files"]), side, side))
    cache[index] = read(path).resize((side, side), Image.Resampling.LANCZOS)
    return side * side


def main():
    if JOB["kind"] == "cache":
        with open(JOB["out"], "wb") as file:
            file.truncate(len(JOB["files"]) * JOB["side"] ** 2)
    work = write_png if JOB["kind"] == "png" else write_cached
    started = time.perf_counter()
    with multiprocessing.Pool(JOB["processes"]) as pool:
        written = sum(pool.imap_unordered(work, enumerate(JOB["files"]), chunksize=8))
    seconds = time.perf_counter() - started
    versions = {"pydicom": pydicom.__version__, "Pillow": PIL.__version__, "numpy": numpy.__version__}
    print(json.dumps({"seconds": seconds, "bytes": written, "versions": versions}))


if __name__ == "__main__":
    main()
