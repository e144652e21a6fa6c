"""Run-length codes of the competition row by row in Python, as its competitors decode and encode them.

Reads a job as JSON from stdin: path (a label file), loop_rows (how many masks the pixel-by-pixel encoder gets).
Prints one JSON object: rows, seconds for all of them with numpy, codes that came back different; the same for the loop.
"""

import csv
import json
import sys
import time

import numpy

SIDE = 1024


def decode(code):
    """One row: a column-major mask of 0 and 255 out of pairs of gap and length."""
    mask = numpy.zeros(SIDE * SIDE)
    if code != "-1":
        numbers = numpy.asarray([int(word) for word in code.split()])
        position = 0
        for gap, length in zip(numbers[0::2], numbers[1::2]):
            position += gap
            mask[position : position + length] = 255
            position += length
    return mask.reshape(SIDE, SIDE).T


def encode(mask):
    """The same back with numpy: where neighbours differ, a run begins or ends."""
    pixels = mask.T.flatten()
    padded = numpy.concatenate([[0], pixels, [0]])
    edges = numpy.where(padded[1:] != padded[:-1])[0]
    if len(edges) == 0:
        return "-1"
    starts, ends = edges[0::2], edges[1::2]
    gaps = starts - numpy.concatenate([[0], ends[:-1]])
    return " ".join(str(word) for pair in zip(gaps, ends - starts) for word in pair)


def encode_by_loop(mask):
    """The encoder that went round on Kaggle walks over every pixel; a run at the very end is lost, as there."""
    words = []
    last, gap, length = 0, 0, 0
    for x in range(SIDE):
        for y in range(SIDE):
            colour = mask[y][x]
            if colour == 255:
                length += 1
            elif last == 255:
                words += [str(gap), str(length)]
                gap, length = 1, 0
            else:
                gap += 1
            last = colour
    return " ".join(words) or "-1"


def measure(codes, encoder):
    started = time.perf_counter()
    changed = sum(encoder(decode(code)) != code for code in codes)
    return {"rows": len(codes), "seconds": time.perf_counter() - started, "changed": changed}


def main():
    job = json.load(sys.stdin)
    with open(job["path"], encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) == 2]
    codes = [row[1].strip() for row in rows if row[1].strip()[:1] in "-0123456789"]
    masks = [code for code in codes if code != "-1"]
    step = max(1, len(masks) // job["loop_rows"])
    print(
        json.dumps(
            {
                "numpy": measure(codes, encode),
                "loop": measure(masks[::step][: job["loop_rows"]], encode_by_loop),
                "version": numpy.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
