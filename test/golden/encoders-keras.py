"""Writes encoders-keras.json beside this file: what Keras's EfficientNets make of the formula's weights and images.

python3 -m venv venv && venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1
venv/bin/python test/golden/encoders-keras.py
"""

import hashlib
import json
import os
import pathlib

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf
from keras.src.applications.efficientnet import EfficientNet

import formula

HERE = pathlib.Path(__file__).parent
# Width and depth.
NETWORKS = {
    "efficientnet-b0": (1.0, 1.0),
    "efficientnet-b1": (1.0, 1.1),
    "efficientnet-b2": (1.1, 1.2),
    "efficientnet-b3": (1.2, 1.4),
    "efficientnet-b4": (1.4, 1.8),
    "efficientnet-b5": (1.6, 2.2),
    "efficientnet-b6": (1.8, 2.6),
    "efficientnet-b7": (2.0, 3.1),
}
COMPARED = ["efficientnet-b0", "efficientnet-b4"]
SIDE, COUNT, MOMENTUM = 96, 2, 0.5


def build(width, depth):
    # Without drop-connect, whose draws are Keras's own.
    options = {"drop_connect_rate": 0.0, "include_top": False, "weights": None, "weights_name": None}
    return EfficientNet(width, depth, SIDE, input_shape=(SIDE, SIDE, 3), **options)


def weights_of(model):
    """Every weight up to the last block by our name."""
    for layer in model.layers:
        if layer.name.startswith(("top_", "normalization")):
            continue
        for variable in layer.weights:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            yield f"{layer.name}/{'depthwise_kernel' if depthwise else variable.name}", variable, layer


def last_of_each_resolution(model):
    """The stem's, then the outputs of the last blocks before each halving."""
    blocks = [layer.name for layer in model.layers if layer.name.endswith(("project_bn", "_add"))]
    ends = ["stem_activation"]
    for stage in (2, 3, 5, 7):
        ends.append([name for name in blocks if name.startswith(f"block{stage}")][-1])
    return [model.get_layer(name).output for name in ends]


result = {"keras": keras.__version__, "tensorflow": tf.__version__, "networks": {}}
for name, (width, depth) in NETWORKS.items():
    keras.backend.clear_session()
    model = build(width, depth)
    lines = sorted(f"{weight} {list(variable.shape)}" for weight, variable, _ in weights_of(model))
    entry = {
        "arrays": len(lines),
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    }
    if name in COMPARED:
        for weight, variable, _ in weights_of(model):
            variable.assign(formula.weight(weight, tuple(variable.shape)))
        network = keras.Model(model.input, last_of_each_resolution(model))
        x = formula.images(COUNT, SIDE)
        entry["features"] = [formula.digest(np.asarray(level)) for level in network(x, training=False)]
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = MOMENTUM
        model(x, training=True)
        entry["moved"] = {
            weight: formula.digest(np.asarray(variable), 4)
            for weight, variable, layer in weights_of(model)
            if variable.name.startswith("moving_")
        }
    result["networks"][name] = entry
(HERE / "encoders-keras.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
