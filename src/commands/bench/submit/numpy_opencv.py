"""What competitors do with two members' probabilities, with numpy and OpenCV: resize, average, threshold, remove small components,
encode, write a CSV. And OpenCV's components alone, on the masks of a label file.

Reads a job as JSON from stdin: stores (files of probabilities, see docs/reference/files.md), threshold, area, processes, csv (to write),
labels (a label file). Prints one JSON object.
"""

import csv
import json
import multiprocessing
import resource
import struct
import sys
import time
import zlib

import cv2
import numpy

SIDE = 1024
TAIL = 32 + 4 + 8


class Store:
    """A store of probabilities: deflated maps, then an index as JSON, its digest, its length and a magic word."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.file.seek(-TAIL, 2)
        (length,) = struct.unpack("<I", self.file.read(TAIL)[32:36])
        self.file.seek(-TAIL - length, 2)
        index = json.loads(self.file.read(length))
        self.ids, self.side = index["ids"], index["resolution"]
        self.lengths = index["lengths"]
        self.starts = numpy.cumsum([0] + self.lengths)

    def read(self, image):
        self.file.seek(int(self.starts[image]))
        chunk = zlib.decompress(self.file.read(self.lengths[image]))
        return numpy.frombuffer(chunk, numpy.uint8).reshape(self.side, self.side)


def encode(mask):
    pixels = mask.T.flatten()
    padded = numpy.concatenate([[0], pixels, [0]])
    edges = numpy.where(padded[1:] != padded[:-1])[0]
    if len(edges) == 0:
        return "-1"
    starts, ends = edges[0::2], edges[1::2]
    gaps = starts - numpy.concatenate([[0], ends[:-1]])
    return " ".join(str(word) for pair in zip(gaps, ends - starts) for word in pair)


def make_mask(maps, threshold, area):
    wide = [cv2.resize(each.astype(numpy.float32) / 255, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for each in maps]
    mask = (numpy.mean(wide, axis=0) > threshold).astype(numpy.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    for component in range(1, count):
        if stats[component, cv2.CC_STAT_AREA] <= area:
            mask[labels == component] = 0
    return mask


def begin(job):
    global JOB, STORES
    cv2.setNumThreads(1)
    JOB, STORES = job, [Store(path) for path in job["stores"]]


def row(image):
    mask = make_mask([store.read(image) for store in STORES], JOB["threshold"], JOB["area"])
    return STORES[0].ids[image], encode(mask)


def build(job):
    started = time.perf_counter()
    begin(job)
    images = range(len(STORES[0].ids))
    with multiprocessing.Pool(job["processes"], begin, [job]) as pool:
        rows = pool.map(row, images, chunksize=8)
    with open(job["csv"], "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ImageId", "EncodedPixels"])
        writer.writerows(rows)
    return time.perf_counter() - started


def decode(codes):
    mask = numpy.zeros(SIDE * SIDE, numpy.uint8)
    for code in codes:
        numbers = [int(word) for word in code.split()]
        position = 0
        for gap, length in zip(numbers[0::2], numbers[1::2]):
            position += gap
            mask[position : position + length] = 1
            position += length
    return numpy.ascontiguousarray(mask.reshape(SIDE, SIDE).T)


def measure_components(path):
    masks = {}
    with open(path, encoding="utf-8-sig", newline="") as file:
        for image, code in (each for each in csv.reader(file) if len(each) == 2):
            if code.strip()[:1].isdigit():
                masks.setdefault(image, []).append(code)
    cv2.setNumThreads(1)
    seconds, found = 0.0, 0
    for codes in masks.values():
        mask = decode(codes)
        started = time.perf_counter()
        count = cv2.connectedComponentsWithStats(mask, connectivity=8)[0]
        seconds += time.perf_counter() - started
        found += count - 1
    return {"masks": len(masks), "components": found, "seconds": seconds}


def main():
    job = json.load(sys.stdin)
    components = measure_components(job["labels"])
    seconds = build(job)
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    versions = {"numpy": numpy.__version__, "opencv": cv2.__version__}
    print(json.dumps({"seconds": seconds, "peak_rss_bytes": worker, "components": components, "versions": versions}))


if __name__ == "__main__":
    main()
