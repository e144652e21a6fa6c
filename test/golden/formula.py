"""Numbers by a formula that test/models/formula.ts computes too, so that no weights need to be stored."""

import numpy as np


def mix(x):
    """A hash of 32 bits (lowbias32, https://nullprogram.com/blog/2018/07/31/)."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def seed_of(name):
    """FNV-1a of 32 bits."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    return np.uint32(seed)


def uniform(name, count):
    """`count` multiples of 2⁻²³ from −1 up to 1, as float64."""
    bits = mix(mix(np.arange(count, dtype=np.uint32)) ^ seed_of(name))
    return (bits >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def weight(name, shape):
    """The weight of that name, `<layer>/<weight>` with the layouts of Keras, as float32."""
    u = uniform(name, int(np.prod(shape)))
    kind = name.split("/")[-1]
    values = {
        "kernel": lambda: u * np.sqrt(6 / np.prod(shape[:-1])),
        "depthwise_kernel": lambda: u * np.sqrt(6 / np.prod(shape[:2])),
        "bias": lambda: 0.1 * u,
        "gamma": lambda: 0.75 + 0.25 * u,
        "beta": lambda: 0.3 * u,
        "moving_mean": lambda: 0.3 * u,
        "moving_variance": lambda: 1 + 0.5 * u,
    }[kind]()
    return values.astype(np.float32).reshape(shape)


def images(count, side):
    """Whole grey levels 0 to 255, [count,side,side,3], float32."""
    levels = np.floor((uniform("image", count * side * side * 3) + 1) * 128)
    return levels.astype(np.float32).reshape(count, side, side, 3)


def digest(array, samples=64):
    """Mean and standard deviation of an array, and values of it at places that the formula chooses."""
    flat = np.asarray(array, np.float64).ravel()
    places = np.floor((uniform("places", samples) + 1) / 2 * flat.size).astype(int)
    return {
        "shape": list(array.shape),
        "mean": float(f"{flat.mean():.7g}"),
        "std": float(f"{flat.std():.7g}"),
        "values": [float(f"{flat[place]:.7g}") for place in places],
    }
