"""Writes optim-keras.json beside this file: five updates of a kernel and a bias by Keras's optimizers.

python3 -m venv venv && venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1
venv/bin/python test/golden/optim-keras.py
"""

import json
import pathlib

import keras
import numpy as np

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(20190619)
SHAPES = {"kernel": [3, 4], "bias": [4]}


def draw(shape):
    return RNG.normal(0, 1, shape).round(2).astype(np.float32)


def stored(array):
    """As the shortest decimals that are these float32 again."""
    array = np.asarray(array, np.float32)
    return {"shape": list(array.shape), "values": [float(str(value)) for value in array.ravel()]}


def five_updates(config, optimizer, rates):
    weights = {name: keras.Variable(draw(shape), name=name) for name, shape in SHAPES.items()}
    start = {name: stored(weight.value) for name, weight in weights.items()}
    if hasattr(optimizer, "exclude_from_weight_decay"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(list(weights.values()))
    updates = []
    for lr in rates:
        optimizer.learning_rate = lr
        # From large to tiny, so that epsilon and the corrections of the first steps show.
        gradients = {
            name: (draw(shape) * np.logspace(1, -7, int(np.prod(shape))).reshape(shape)).astype(np.float32)
            for name, shape in SHAPES.items()
        }
        optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients.values()])
        after = {name: stored(weight.value) for name, weight in weights.items()}
        updates.append(
            {"lr": lr, "gradients": {name: stored(value) for name, value in gradients.items()}, "weights": after}
        )
    return {"config": config, "start": start, "updates": updates}


VARYING, SAME = (0.01, 0.02, 0.005, 0.01, 0.001), (0.05,) * 5
golden = {
    "keras": keras.__version__,
    "optimizers": [
        five_updates({"name": "adam"}, keras.optimizers.Adam(), VARYING),
        five_updates(
            {"name": "adamw", "weight_decay": 0.3, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-5},
            keras.optimizers.AdamW(weight_decay=0.3, beta_1=0.8, beta_2=0.99, epsilon=1e-5),
            VARYING,
        ),
        # Keras's velocity holds the rate: the same as PyTorch's where the rate stays.
        *(
            five_updates(
                {"name": "sgd", "momentum": 0.8, "nesterov": nesterov},
                keras.optimizers.SGD(momentum=0.8, nesterov=nesterov),
                SAME,
            )
            for nesterov in (True, False)
        ),
    ],
}
(HERE / "optim-keras.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
