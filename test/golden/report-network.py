"""Writes report-network.json beside this file: the report's network in Keras, its logits and the losses of 20 steps of Adam.

python3 -m venv venv && venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1
venv/bin/python test/golden/report-network.py

EfficientNet-B4 is Keras's own; the decoder is written from the description in issue 6, with Keras's layers and defaults.
Weights, images and masks come from formula.py. Dropout and drop-connect are off: their draws differ.
"""

import json
import os
import pathlib

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from formula import uniform, weight

HERE = pathlib.Path(__file__).parent
SIDE, COUNT = 64, 4
SHOWN = 2
LR, STEPS = 5e-5, 20
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def leaky(x, name):
    return layers.LeakyReLU(negative_slope=0.1, name=name)(x)


def convolve(x, filters, name):
    return layers.Conv2D(filters, 3, padding="same", name=name)(x)


def transpose(x, filters, name):
    return layers.Conv2DTranspose(filters, 3, strides=2, padding="same", name=name)(x)


def norm(x, name):
    return layers.BatchNormalization(name=name)(x)


def residual(x, name):
    """Leaky relu, BN, (convolution, BN, leaky relu), (convolution, BN); plus BN of what came in."""
    filters = x.shape[-1]
    shortcut = norm(x, f"{name}_shortcut_bn")
    x = norm(leaky(x, f"{name}_relu"), f"{name}_bn")
    x = norm(convolve(x, filters, f"{name}_conv_a"), f"{name}_bn_a")
    x = leaky(x, f"{name}_relu_a")
    x = norm(convolve(x, filters, f"{name}_conv_b"), f"{name}_bn_b")
    return layers.Add(name=f"{name}_add")([x, shortcut])


def build():
    encoder = keras.applications.EfficientNetB4(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    for layer in encoder.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0
    skips = [encoder.get_layer(f"block{block}_expand_activation").output for block in ("6a", "4a", "3a", "2a")]
    skips[0] = leaky(skips[0], "middle_skip_relu")
    x = layers.MaxPooling2D(2, name="middle_pool")(skips[0])
    x = convolve(x, 256, "middle_conv")
    x = residual(residual(x, "middle_residual_a"), "middle_residual_b")
    x = leaky(x, "middle_relu")
    hyper = []
    for level, filters in enumerate([128, 64, 32, 16, 8], start=1):
        x = transpose(x, filters, f"decoder{level}_up")
        if level < 5:
            hyper = [
                transpose(one, one.shape[-1], f"decoder{level}_from{level - 1 - back}")
                for back, one in enumerate(hyper)
            ]
            hyper = [x, *hyper]
            x = layers.Concatenate(name=f"decoder{level}_concat")([*hyper, skips[level - 1]])
        x = convolve(x, filters, f"decoder{level}_conv")
        x = leaky(residual(x, f"decoder{level}_residual"), f"decoder{level}_relu")
    logits = layers.Conv2D(1, 1, name="mask_logits")(x)
    return keras.Model(encoder.input, logits)


def weighted(model):
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            continue
        # Keras 3 calls the kernel of a depthwise convolution just that.
        prefix = "depthwise_" if isinstance(layer, layers.DepthwiseConv2D) else ""
        layer.set_weights([weight(f"{layer.name}/{prefix}{one.name}", one.shape) for one in layer.weights])


def batch():
    """Noise of 0 to 159, and 90 more in a square that is the mask."""
    grey = np.floor(80 * (uniform("images", COUNT * SIDE * SIDE) + 1)).reshape(COUNT, SIDE, SIDE, 1)
    masks = np.zeros_like(grey)
    for image in range(COUNT):
        masks[image, 8 * image : 8 * image + 20, 10 : 30 + 4 * image] = 1
    return grey + 90 * masks, masks.astype(np.float32)


def measure(logits, masks):
    """Binary cross-entropy, mean over pixels, plus one minus soft Dice (smooth 1) of each image, mean over images."""
    bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(masks, logits))
    p = tf.sigmoid(logits)
    overlap = tf.reduce_sum(p * masks, [1, 2, 3])
    total = tf.reduce_sum(p, [1, 2, 3]) + tf.reduce_sum(masks, [1, 2, 3])
    return bce + tf.reduce_mean(1 - (2 * overlap + 1) / (total + 1))


def shortest(values):
    return [float(f"{value:.7g}") for value in np.asarray(values, np.float64).ravel()]


def main():
    model = build()
    weighted(model)
    grey, masks = batch()
    # Keras divides by 255 itself.
    rgb = tf.constant(255 * (grey / 255 - MEAN) / STD, tf.float32)
    inferred = model(rgb, training=False)
    optimizer = keras.optimizers.Adam(LR)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = model(rgb, training=True)
            loss = measure(logits, masks)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    result = {
        "side": SIDE,
        "count": COUNT,
        "lr": LR,
        "parameters": sum(int(np.prod(one.shape)) for one in model.trainable_variables),
        "logits": shortest(inferred[:SHOWN]),
        "losses": [float(f"{step():.9g}") for _ in range(STEPS)],
    }
    (HERE / "report-network.json").write_text(json.dumps(result) + "\n")


main()
