import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { tf } from '../../src/engine/tf.ts';
import { namedVariables } from '../../src/models/weights.ts';
import { assertWithin } from '../engine/compare.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { buildReportNetwork, golden, goldenBatch } from './report-network.ts';

before(loadForTests);

test("the report's network has Keras's parameters and, with the same weights, its logits", () => {
  const model = buildReportNetwork();
  const trained = namedVariables(model).filter(({ trainable }) => trainable);
  assert.equal(
    trained.reduce((sum, { variable }) => sum + variable.size, 0),
    golden.parameters,
  );
  const logits = tf.tidy(() => {
    const { images, count, resolution } = goldenBatch();
    const pixels = tf.tensor4d(images, [count, resolution, resolution, 1], 'float32');
    return (model.apply(pixels, { training: false }) as tf.Tensor).dataSync();
  });
  assertWithin(1e-4, logits.slice(0, golden.logits.length), golden.logits, 'logits');
  model.dispose();
});
