"""Trains EfficientNet U-Net in Keras on batches, with learning rates, that the bench wrote.

python keras_train.py < job.json, where the job has main's words. After each epoch the probabilities of the validation
images go to `<out>/epoch-<n>.f32`, [V,R,R,1] float32; the losses of all updates are printed at the end as JSON.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))

import keras
import keras_step
import measure
import numpy as np
import tensorflow as tf


def read_epoch(path, batch_size, resolution):
    """Yields images and masks, uint8 [N,R,R,1]: a batch has its images and then its masks."""
    batches = np.memmap(path, np.uint8, "r").reshape(-1, 2, batch_size, resolution, resolution, 1)
    for images, masks in batches:
        yield tf.constant(images), tf.constant(masks)


def main(encoder, resolution, batch_size, norm_momentum, bce_weight, weights, epochs, rates, validation, out):
    model = keras_step.build_model(encoder, resolution)
    keras_step.load_weights(model, measure.read_tensors(weights))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = norm_momentum
    optimizer = keras.optimizers.Adam(rates[0])
    optimizer.build(model.trainable_variables)

    @tf.function
    def train_step(images, masks):
        with tf.GradientTape() as tape:
            logits = model(tf.cast(images, tf.float32), training=True)
            loss = keras_step.bce_dice(logits, tf.cast(masks, tf.float32), bce_weight)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    @tf.function
    def predict(images):
        return tf.sigmoid(model(tf.cast(images, tf.float32), training=False))

    held = np.fromfile(validation, np.uint8).reshape(-1, resolution, resolution, 1)
    losses = []
    for number, path in enumerate(epochs, start=1):
        for images, masks in read_epoch(path, batch_size, resolution):
            optimizer.learning_rate.assign(rates[len(losses)])
            losses.append(float(train_step(images, masks)))
        parts = [predict(held[at : at + batch_size]).numpy() for at in range(0, len(held), batch_size)]
        np.concatenate(parts).tofile(Path(out) / f"epoch-{number}.f32")
        print(f"epoch {number}/{len(epochs)}: {len(losses)} updates, loss {losses[-1]:.4f}", file=sys.stderr, flush=True)
    parameters = sum(int(tf.size(weight)) for weight in model.trainable_variables)
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    print(json.dumps({"losses": losses, "parameters": parameters, "versions": versions}), flush=True)


measure.die_first()
main(**json.load(sys.stdin))
