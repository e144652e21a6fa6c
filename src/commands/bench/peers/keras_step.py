"""A training step, or a prediction, of EfficientNet U-Net in Keras, compiled by tf.function.

python keras_step.py '{"task": "train" or "predict", "encoder": "efficientnet-b4", "tensors": "….safetensors", "steps": 10}'
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import measure

# The last layer at strides 2, 4, 8 and 16 by its prefix; which block ends a stage depends on the depth.
SKIP_STAGES = ["block5", "block3", "block2"]
DECODER_CHANNELS = [256, 128, 64, 32, 16]
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_STD = np.array([0.229, 0.224, 0.225])


def build_model(encoder, resolution):
    gray = keras.Input([resolution, resolution, 1])
    rgb = layers.Concatenate()([gray] * 3)
    family = encoder.replace("efficientnet-b", "EfficientNetB")
    backbone = getattr(keras.applications, family)(include_top=False, weights=None, input_tensor=rgb)
    for layer in backbone.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0  # drop connect
    last = {}
    for layer in backbone.layers:
        last[layer.name[:6]] = layer.output
    x = last["block7"]
    skips = [last[stage] for stage in SKIP_STAGES] + [backbone.get_layer("stem_activation").output]
    for level, channels in enumerate(DECODER_CHANNELS, start=1):
        x = layers.UpSampling2D()(x)
        if level <= len(skips):
            x = layers.Concatenate()([x, skips[level - 1]])
        for part in "ab":
            name = f"decoder{level}_conv_{part}"
            x = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=name)(x)
            x = layers.BatchNormalization(name=f"decoder{level}_bn_{part}")(x)
            x = layers.ReLU()(x)
    return keras.Model(gray, layers.Conv2D(1, 3, padding="same", name="mask_logits")(x))


def load_weights(model, tensors):
    """By layer name; the bench's grey-to-RGB layer is Keras's own normalization here."""
    by_layer = {}
    for name, value in tensors.items():
        by_layer.setdefault(name.split("/")[0], []).append(value)
    del by_layer["gray_to_rgb"]
    for layer in model.layers:
        if isinstance(layer, layers.Normalization):
            layer.set_weights([IMAGENET_MEAN, IMAGENET_STD**2, np.array(0)])
            layer.finalize_state()
        elif layer.weights:
            layer.set_weights(by_layer.pop(layer.name))
    assert not by_layer, f"layers that Keras lacks: {list(by_layer)}"


def bce_dice(logits, masks, bce_weight=1):
    bce = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(masks, logits))
    probabilities = tf.sigmoid(logits)
    both = tf.reduce_sum(probabilities * masks)
    dice = (2 * both + 1) / (tf.reduce_sum(probabilities) + tf.reduce_sum(masks) + 1)
    return bce_weight * bce + 1 - dice


def main(task, encoder, tensors, steps):
    tensors = measure.read_tensors(tensors)
    images, masks = measure.take_batch(tensors)
    model = build_model(encoder, images.shape[1])
    load_weights(model, tensors)
    del tensors
    optimizer = keras.optimizers.Adam(1e-4)

    @tf.function
    def train_step(images, masks):
        with tf.GradientTape() as tape:
            loss = bce_dice(model(tf.cast(images, tf.float32), training=True), tf.cast(masks, tf.float32))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    @tf.function
    def predict(images):
        return tf.sigmoid(model(tf.cast(images, tf.float32), training=False))

    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    images, masks = tf.constant(images), tf.constant(masks)
    if task == "train":
        optimizer.build(model.trainable_variables)
        parameters = sum(int(tf.size(weight)) for weight in model.trainable_variables)
        measure.report_training(lambda: float(train_step(images, masks)), steps, parameters, versions)
    else:
        measure.report_prediction(lambda: predict(images).numpy(), steps, len(images), versions)


if __name__ == "__main__":
    measure.die_first()
    main(**json.loads(sys.argv[1]))
