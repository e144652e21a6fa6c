"""Writes engine-kernels.json beside this file: what TensorFlow and Keras make of the engine's kernels, with gradients.

python3 -m venv venv && venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1
venv/bin/python test/golden/engine-kernels.py
"""

import json
import os
import pathlib

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190619)
SHAPE = [2, 5, 6, 3]
EPSILON, MOMENTUM = 1e-3, 0.9


def draw(shape, mean=0.0, deviation=1.0):
    """Short decimals, none of them 0, where relu has a corner."""
    values = RNG.normal(mean, deviation, shape).round(2)
    return tf.constant(np.where(values == 0, 0.01, values), tf.float32)


def stored(tensor):
    """As the shortest decimals that are these float32 again."""
    array = np.asarray(tensor, np.float32)
    return {"shape": list(array.shape), "values": [float(str(value)) for value in array.ravel()]}


def case(tensors, **numbers):
    return {**numbers, **{name: stored(tensor) for name, tensor in tensors.items()}}


def unary(function, x, **numbers):
    """x and dy, then y and dx = dy · ∂y/∂x."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    dy = draw(y.shape)
    return case({"x": x, "dy": dy, "y": y, "dx": tape.gradient(y, x, output_gradients=dy)}, **numbers)


def batch_norm():
    weights = {
        "gamma": draw([3], 1, 0.3),
        "beta": draw([3]),
        "moving_mean": draw([3]),
        "moving_variance": tf.constant([0.5, 1.5, 2.5]),
    }
    layer = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)
    layer.build(SHAPE)
    layer.set_weights(list(weights.values()))
    x, dy = draw(SHAPE, 0.5, 2), draw(SHAPE)
    inference = layer(x, training=False)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    dx, dgamma, dbeta = tape.gradient(y, [x, layer.gamma, layer.beta], output_gradients=dy)
    results = {"y": y, "dx": dx, "dgamma": dgamma, "dbeta": dbeta, "y_inference": inference}
    moved = {"moving_mean_after": layer.moving_mean, "moving_variance_after": layer.moving_variance}
    return case({"x": x, "dy": dy, **weights, **results, **moved}, epsilon=EPSILON, momentum=MOMENTUM)


def resize(side):
    """Half-pixel centres, no antialiasing."""
    return unary(lambda x: tf.image.resize(x, side, method="bilinear", antialias=False), draw(SHAPE), size=side)


def adam(steps=5, size=7):
    rates = {"learning_rate": 1e-2, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7}
    optimizer = keras.optimizers.Adam(1e-2, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    start = draw([size])
    weight = keras.Variable(start)
    # From large to tiny, so that epsilon and the corrections of the first steps show.
    gradients = [draw([size]) * tf.constant(np.logspace(1, -7, size), tf.float32) for _ in range(steps)]
    after = []
    for gradient in gradients:
        optimizer.apply([gradient], [weight])
        after.append(tf.constant(weight.value))
    return case({"start": start, "gradients": tf.stack(gradients), "weights": tf.stack(after)}, **rates)


cases = {
    "batch_norm": batch_norm(),
    "swish": unary(keras.activations.silu, draw(SHAPE, 0, 3)),
    "relu": unary(keras.activations.relu, draw(SHAPE)),
    "leaky_relu": unary(lambda x: keras.activations.leaky_relu(x, negative_slope=0.1), draw(SHAPE), alpha=0.1),
    "global_average_pool": unary(keras.layers.GlobalAveragePooling2D(), draw(SHAPE)),
    "resize_bilinear": [resize([10, 12]), resize([7, 11]), resize([3, 5])],
    "upsample_nearest": unary(keras.layers.UpSampling2D(2), draw(SHAPE), size=2),
    "adam": adam(),
}
text = json.dumps({"tensorflow": tf.__version__, "keras": keras.__version__, **cases}, separators=(",", ":"))
(HERE / "engine-kernels.json").write_text(text + "\n")
