import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { sha256 } from '../../../src/core/atomic-file.ts';
import { tf } from '../../../src/engine/tf.ts';
import { buildEncoder } from '../../../src/models/encoders/index.ts';
import type { EncoderName } from '../../../src/models/encoders/names.ts';
import { readWeights, setWeights } from '../../../src/models/weights.ts';
import { loadForTests } from '../../engine/load-for-tests.ts';
import { type Digest, digest, formulaImages, formulaWeights } from '../formula.ts';

/** What the package that a network is from makes of the formula's weights and images (test/golden/encoders-*.py). */
export interface GoldenEncoder {
  /** How many arrays there are, and the SHA-256 of their names and shapes. */
  arrays: number;
  sha256: string;
  /** Features of each level, and moving statistics after one batch in training. */
  features?: Digest[];
  moved?: Record<string, Digest>;
  /** Names of all that is published, each with our name of it (or null) and its shape there. */
  published?: Record<string, [ours: string | null, shape: number[]]>;
}

const read = (file: string) => {
  const text = readFileSync(new URL(`../../golden/${file}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { networks: Record<string, GoldenEncoder> }).networks;
};
export const goldenEncoders = { ...read('encoders-keras.json'), ...read('encoders-torch.json') };

/** Of a feature's standard deviation, or of an array of statistics' mean. */
const TOLERANCE = 1e-4;
const SIDE = 96;
const COUNT = 2;
const MOMENTUM = 0.5;

/** One test for each of these encoders; `features: false` where the arrays alone are compared. */
export function testEncoders(names: readonly EncoderName[], { features }: { features: boolean }): void {
  before(loadForTests);
  for (const name of names) {
    const what = features ? 'arrays, features and moving statistics' : 'arrays';
    test(`${name} has the ${what} of the package it is from`, () => {
      const model = buildNetwork(name);
      checkArrays(model, goldenEncoders[name]!);
      if (features) checkFeatures(model, goldenEncoders[name]!);
      model.dispose();
    });
  }
}

function buildNetwork(name: EncoderName): tf.LayersModel {
  const rgb = tf.input({ shape: [SIDE, SIDE, 3] });
  const outputs = buildEncoder(name, rgb, { seed: 1, normMomentum: MOMENTUM, dropConnect: 0 });
  assert.deepEqual(
    outputs.map(({ shape }) => SIDE / shape[1]!),
    [2, 4, 8, 16, 32],
  );
  return tf.model({ inputs: rgb, outputs });
}

function checkArrays(model: tf.LayersModel, golden: GoldenEncoder): void {
  const lines = [...readWeights(model)].map(([weight, { shape }]) => `${weight} [${shape.join(', ')}]`);
  assert.equal(lines.length, golden.arrays);
  assert.equal(sha256(lines.sort().join('\n')), golden.sha256);
}

function checkFeatures(model: tf.LayersModel, { features, moved }: GoldenEncoder): void {
  setWeights(model, formulaWeights(readWeights(model)), 'the test');
  applyTo(model, false).forEach((feature, level) => {
    assertDigest(feature, features![level]!, `level ${level}`);
  });
  applyTo(model, true);
  const after = readWeights(model);
  assert.equal(Object.keys(moved!).length, [...after.keys()].filter((weight) => weight.includes('/moving_')).length);
  for (const [weight, wanted] of Object.entries(moved!)) {
    const { data, shape } = after.get(weight)!;
    assertDigest(digest(data, shape, 4), wanted, weight);
  }
}

function applyTo(model: tf.LayersModel, training: boolean): Digest[] {
  let digests: Digest[] = [];
  tf.tidy(() => {
    const x = tf.tensor4d(formulaImages(COUNT, SIDE), [COUNT, SIDE, SIDE, 3]).div(255);
    const features = model.apply(x, { training }) as tf.Tensor[];
    digests = features.map((feature) => digest(feature.dataSync(), feature.shape));
  });
  return digests;
}

function assertDigest(actual: Digest, wanted: Digest, what: string): void {
  assert.deepEqual(actual.shape, wanted.shape, what);
  const allowed = TOLERANCE * Math.max(wanted.std, Math.abs(wanted.mean));
  const check = (value: number, other: number, part: string) =>
    assert.ok(Math.abs(value - other) <= allowed, `${part} of ${what} is ${value}, not ${other}`);
  check(actual.mean, wanted.mean, 'mean');
  check(actual.std, wanted.std, 'standard deviation');
  wanted.values.forEach((value, i) => {
    check(actual.values[i]!, value, `value ${i}`);
  });
}
