import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { tf } from '../../src/engine/tf.ts';
import type { Feature } from '../../src/models/blocks.ts';
import type { DecoderName } from '../../src/models/decoders/choices.ts';
import type { DecoderOptions } from '../../src/models/decoders/contract.ts';
import { buildHead } from '../../src/models/decoders/head.ts';
import { buildDecoder } from '../../src/models/decoders/index.ts';
import { namedVariables, readWeights, setWeights } from '../../src/models/weights.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { type Digest, digest, formulaWeights, uniform } from './formula.ts';

before(loadForTests);

/** What segmentation_models.pytorch's decoders make of the same features and weights (golden/decoders-torch.py). */
const golden = JSON.parse(readFileSync(new URL('../golden/decoders-torch.json', import.meta.url), 'utf8')) as {
  side: number;
  count: number;
  channels: number[];
  compared: Record<string, { logits: Digest; gradients: Record<string, Digest> }>;
};
/** As a share of the array's mean square. */
const TOLERANCE = 1e-4;

function sideOf(level: number): number {
  return golden.side >> (level + 1);
}

/** A decoder and its head alone, on the encoder's features. */
function buildAlone(name: string): tf.LayersModel {
  const [decoder, ...choices] = name.split(' ');
  const group = choices.includes('group');
  const base = { seed: 1, normMomentum: 0.9 };
  const options: DecoderOptions = {
    ...base,
    norm: group ? 'group' : 'batch',
    standardized: group,
    upsample: choices.includes('bilinear') ? 'bilinear' : 'nearest',
    attention: choices.includes('scse') ? 'scse' : 'none',
    dropout: 0,
  };
  const inputs = golden.channels.map((channels, level) =>
    tf.input({ name: `feature${level}`, shape: [sideOf(level), sideOf(level), channels] }),
  );
  const decoded = buildDecoder(decoder as DecoderName, inputs, options);
  const outputs: Feature = buildHead(decoded, { resolution: golden.side, hypercolumns: false }, base);
  return tf.model({ inputs, outputs });
}

function assertDigest(values: ArrayLike<number>, shape: readonly number[], wanted: Digest, what: string): void {
  const found = digest(values, shape, wanted.values.length);
  assert.deepEqual(found.shape, wanted.shape, what);
  const scale = Math.hypot(wanted.mean, wanted.std);
  const pairs = [
    [found.mean, wanted.mean],
    [found.std, wanted.std],
    ...found.values.map((v, i) => [v, wanted.values[i]]),
  ];
  const worst = Math.max(...pairs.map(([a, b]) => Math.abs(a! - b!)));
  assert.ok(worst <= TOLERANCE * scale, `${what} differs by ${worst / scale} of its mean square`);
}

for (const [name, wanted] of Object.entries(golden.compared)) {
  test(`${name} gives segmentation_models.pytorch's logits and gradients`, () => {
    const model = buildAlone(name);
    setWeights(model, formulaWeights(readWeights(model)), 'the formula');
    const features = golden.channels.map((channels, level) => {
      const shape: [number, number, number, number] = [golden.count, sideOf(level), sideOf(level), channels];
      const size = shape.reduce((product, side) => product * side, 1);
      return tf.tensor4d(Float32Array.from(uniform(`feature${level}`, size)), shape);
    });
    const area = golden.count * golden.side ** 2;
    const dy = tf.tensor4d(Float32Array.from(uniform('dy', area)), [golden.count, golden.side, golden.side, 1]);
    const forward = () => model.apply(features, { training: true }) as tf.Tensor4D;
    const logits = tf.tidy(forward);
    assertDigest(logits.dataSync(), logits.shape, wanted.logits, 'logits');
    const trained = namedVariables(model).filter(({ trainable }) => trainable);
    const { grads } = tf.variableGrads(() => forward().mul(dy).sum());
    assert.deepEqual(trained.map((weight) => weight.name).sort(), Object.keys(wanted.gradients).sort());
    for (const weight of trained) {
      const gradient = grads[weight.variable.name]!;
      assertDigest(gradient.dataSync(), gradient.shape, wanted.gradients[weight.name]!, weight.name);
    }
    tf.dispose([...features, dy, logits, grads]);
    model.dispose();
  });
}
