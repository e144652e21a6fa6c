"""Lists of transforms by albumentations, in one thread.

Reads a job as JSON from stdin: path (a file of image, mask, image, mask, ...), count, side, masked (indices with a mask), lists
(each transforms, every_mask and times), seconds, warm_up, burst.
Prints one JSON object: images per second of this process's time for each list, and the versions.
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


def rate(compose, images, limit, burst):
    started = time.process_time()
    done = 0
    while True:
        for _ in range(burst):
            image, mask = images[done % len(images)]
            compose(image=image, mask=mask)
            done += 1
        taken = time.process_time() - started
        if taken >= limit:
            return done / taken


def main():
    job = json.load(sys.stdin)
    cv2.setNumThreads(1)
    memory = numpy.fromfile(job["path"], numpy.uint8).reshape(job["count"], 2, job["side"], job["side"])
    every = [(pair[0], pair[1]) for pair in memory]
    masked = [every[index] for index in job["masked"]]
    rates = []
    for item in job["lists"]:
        compose = albumentations.Compose([build(transform) for transform in item["transforms"]], seed=1)
        images = masked if item["every_mask"] else every
        rate(compose, images, job["warm_up"] * job["seconds"], job["burst"])
        rates.append(rate(compose, images, item["times"] * job["seconds"], job["burst"]))
    versions = {"albumentations": albumentations.__version__, "opencv": cv2.__version__, "numpy": numpy.__version__}
    print(json.dumps({"rates": rates, "versions": versions}))


if __name__ == "__main__":
    main()
