"""Writes weights/tiny.h5, tiny.weights.h5, tiny.keras and tiny-keras2.h5 beside this file: the formula's weights of a model
of three layers, as Keras 3 saves them, and as Keras 2 did.

python3 -m venv venv && venv/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1
venv/bin/python test/golden/weights-keras.py
"""

import pathlib

import h5py
import keras

import formula

HERE = pathlib.Path(__file__).parent / "weights"

image = keras.Input((8, 8, 3))
x = keras.layers.Rescaling(1 / 255.0)(image)
x = keras.layers.Normalization(axis=3, name="normalization")(x)
x = keras.layers.Conv2D(4, 3, use_bias=False, name="stem_conv")(x)
x = keras.layers.BatchNormalization(name="stem_bn")(x)
x = keras.layers.DepthwiseConv2D(3, use_bias=False, name="block1a_dwconv")(x)
x = keras.layers.Conv2D(2, 1, name="block1a_se_reduce")(x)
model = keras.Model(image, x)
for layer in model.layers:
    for variable in layer.weights:
        if layer.name == "normalization":
            continue
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        name = f"{layer.name}/{'depthwise_kernel' if depthwise else variable.name}"
        variable.assign(formula.weight(name, tuple(variable.shape)))
normalization = model.get_layer("normalization")
for variable, values in zip(normalization.weights, [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]):
    variable.assign(values)

model.save(HERE / "tiny.keras")
model.save_weights(HERE / "tiny.weights.h5")
model.save(HERE / "tiny.h5")

# Keras 2's save_weights, of which the published files are: names end with the output's number, and lists that are too
# long for one attribute are divided.
with h5py.File(HERE / "tiny-keras2.h5", "w") as file:
    names = [layer.name for layer in model.layers if layer.name != "rescaling"]
    file.attrs["layer_names0"] = [name.encode() for name in names[:3]]
    file.attrs["layer_names1"] = [name.encode() for name in names[3:]]
    for layer in model.layers:
        if layer.name == "rescaling":
            continue
        group = file.create_group(layer.name)
        weights = []
        for variable in layer.weights:
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            name = "depthwise_kernel" if depthwise else variable.name
            weights.append(f"{layer.name}/{name}:0")
            group.create_dataset(weights[-1], data=variable.numpy())
        group.attrs["weight_names"] = [name.encode() for name in weights]
