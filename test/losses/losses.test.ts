import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { tf } from '../../src/engine/tf.ts';
import { buildLoss, type LossConfig, lossConfig } from '../../src/losses/index.ts';
import { loadForTests } from '../engine/load-for-tests.ts';

before(loadForTests);

/** Every loss of the table, so that a newcomer is covered without being named here. */
const losses = lossConfig.options.map((option): LossConfig => lossConfig.parse({ name: option.shape.name.value }));

const lossOf = (config: LossConfig, logits: number[], masks: number[]): number =>
  tf.tidy(() => {
    const shape: [number, number, number, number] = [1, 2, logits.length / 2, 1];
    return buildLoss([config])(tf.tensor4d(logits, shape), tf.tensor4d(masks, shape)).dataSync()[0]!;
  });

for (const config of losses) {
  test(`${config.name} is lowest where the prediction is right`, () => {
    const masks = [1, 0, 0, 1];
    const right = lossOf(config, [50, -50, -50, 50], masks);
    for (const wrong of [
      [0, 0, 0, 0],
      [-50, -50, -50, 50],
      [-50, 50, 50, -50],
    ])
      assert.ok(right < lossOf(config, wrong, masks));
    assert.ok(Math.abs(right) < 1e-6);
  });

  test(`${config.name} is finite at the extremes and on empty masks`, () => {
    for (const logit of [-1e4, -50, 0, 50, 1e4]) {
      for (const mask of [0, 1]) {
        assert.ok(Number.isFinite(lossOf(config, Array(4).fill(logit), Array(4).fill(mask))));
      }
    }
    assert.ok(Math.abs(lossOf(config, Array(4).fill(-50), Array(4).fill(0))) < 1e-6);
  });

  test(`${config.name}: the gradient agrees with finite differences`, () => {
    const logits = [0.3, -1.2, 2, -0.1, 0.7, -3];
    const masks = [1, 0, 1, 1, 0, 0];
    const gradient = tf.tidy(() => {
      const z = tf.tensor4d(masks, [1, 2, 3, 1]);
      const loss = (x: tf.Tensor) => buildLoss([config])(x as tf.Tensor4D, z);
      return [
        ...tf
          .grad(loss)(tf.tensor4d(logits, [1, 2, 3, 1]))
          .dataSync(),
      ];
    });
    const h = 1e-2;
    logits.forEach((logit, i) => {
      const at = (value: number) => lossOf(config, logits.with(i, value), masks);
      const slope = (at(logit + h) - at(logit - h)) / (2 * h);
      assert.ok(Math.abs(slope - gradient[i]!) < 1e-3, `${slope} and ${gradient[i]} at ${i}`);
    });
  });
}

for (const config of losses) {
  test(`${config.name} alone has a gradient where the masks are made on the way`, () => {
    const w = tf.variable(tf.scalar(0.5));
    const { grads } = tf.variableGrads(() => {
      const masks = tf.tensor4d([1, 0], [1, 1, 2, 1], 'int32').toFloat() as tf.Tensor4D;
      return buildLoss([config])(tf.tensor4d([2, -1], [1, 1, 2, 1]).mul(w), masks);
    }, [w]);
    assert.ok(Number.isFinite(grads[w.name]!.dataSync()[0]));
    tf.dispose([grads, w]);
  });
}

test('binary cross-entropy by hand', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const wanted =
    -(Math.log(sigmoid(1)) + Math.log(1 - sigmoid(-2)) + Math.log(1 - sigmoid(3)) + Math.log(sigmoid(0))) / 4;
  assert.ok(Math.abs(lossOf(lossConfig.parse({ name: 'bce' }), [1, -2, 3, 0], [1, 0, 0, 1]) - wanted) < 1e-6);
});

test('soft Dice by hand, and weights in a list', () => {
  const dice: LossConfig = lossConfig.parse({ name: 'dice' });
  // p = ½ everywhere: 1 − (2·½·2 + 1)/(4·½ + 2 + 1)
  const wanted = 1 - (2 * 0.5 * 2 + 1) / (4 * 0.5 + 2 + 1);
  assert.ok(Math.abs(lossOf(dice, [0, 0, 0, 0], [1, 1, 0, 0]) - wanted) < 1e-6);
  assert.ok(Math.abs(lossOf({ ...dice, weight: 3 }, [0, 0, 0, 0], [1, 1, 0, 0]) - 3 * wanted) < 1e-6);
});
