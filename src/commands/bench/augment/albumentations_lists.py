"""Lists of transforms by albumentations, in one thread.

Reads JSON from stdin, an object a line. The first is the job: path (a file of image, mask, image, mask, ...), count, side, masked
(indices with a mask), lists (each transforms and every_mask), burst; the answer has the versions. Each further line has list
(an index) and seconds; the answer has the images that were made and the seconds of this process's time.
"""

import json
import sys
import time

import albumentations
import cv2
import numpy


def build(transform):
    kind = getattr(albumentations, transform["name"])
    keys = {key: tuple(value) if isinstance(value, list) else value for key, value in transform["keys"].items()}
    if "transforms" in transform:
        return kind([build(inner) for inner in transform["transforms"]], **keys)
    return kind(**keys)


def measure(compose, images, first, limit, burst):
    started = time.process_time()
    made = 0
    while True:
        for _ in range(burst):
            image, mask = images[(first + made) % len(images)]
            compose(image=image, mask=mask)
            made += 1
        seconds = time.process_time() - started
        if seconds >= limit:
            return {"images": made, "seconds": seconds}


def main():
    cv2.setNumThreads(1)
    job = json.loads(sys.stdin.readline())
    memory = numpy.fromfile(job["path"], numpy.uint8).reshape(job["count"], 2, job["side"], job["side"])
    every = [(pair[0], pair[1]) for pair in memory]
    masked = [every[index] for index in job["masked"]]
    lists = [
        {
            "compose": albumentations.Compose([build(transform) for transform in item["transforms"]], seed=1),
            "images": masked if item["every_mask"] else every,
            "first": 0,
        }
        for item in job["lists"]
    ]
    versions = {"albumentations": albumentations.__version__, "opencv": cv2.__version__, "numpy": numpy.__version__}
    print(json.dumps(versions), flush=True)
    for line in sys.stdin:
        turn = json.loads(line)
        item = lists[turn["list"]]
        result = measure(item["compose"], item["images"], item["first"], turn["seconds"], job["burst"])
        item["first"] += result["images"]
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
