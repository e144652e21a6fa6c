import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAverages } from '../../src/train/averages.ts';

type Wanted = Parameters<typeof createAverages>[0];

/** A run of three epochs of four updates, in which the weight is the number of updates done. */
function run(wanted: Partial<Wanted>) {
  let update = 0;
  const shares: number[] = [];
  const weightsOf = (value: number) => new Map([['w', { shape: [1], data: Float32Array.of(value) }]]);
  const averages = createAverages(
    { epochs: 3, swa_epochs: 0, ...wanted },
    { readWeights: () => weightsOf(update), follow: (share) => shares.push(share), readAverage: () => weightsOf(-1) },
  );
  for (let epoch = 0; epoch < 3; epoch++) {
    for (let i = 0; i < 4; i++) averages.afterUpdate({ epoch, update: ++update });
    averages.afterEpoch(epoch + 1);
  }
  const found = averages.results().map(({ id, weights }) => [id, weights.get('w')!.data[0]] as const);
  return { found: Object.fromEntries(found), shares };
}

test('nothing is averaged unless it is asked for', () => {
  assert.deepEqual(run({}), { found: {}, shares: [] });
});

test('the last epochs, the epochs from one on, or the updates from it on', () => {
  assert.deepEqual(run({ swa_epochs: 2 }).found, { swa: (8 + 12) / 2 });
  assert.deepEqual(run({ swa: { from_epoch: 1 } }).found, { swa: (4 + 8 + 12) / 3 });
  assert.deepEqual(run({ swa: { from_epoch: 2, every_updates: 3 } }).found, { swa: (6 + 9 + 12) / 3 });
});

test('a moving average is the plain mean at first, and takes no less than its share later', () => {
  const { found, shares } = run({ ema: { decay: 0.75 } });
  assert.deepEqual(found, { ema: -1 });
  assert.deepEqual(shares, [1, 1 / 2, 1 / 3, ...new Array(9).fill(1 / 4)]);
});

test('both at once', () => {
  assert.deepEqual(run({ swa_epochs: 1, ema: { decay: 0.9 } }).found, { swa: 12, ema: -1 });
});

test('an average goes on from where another one stood, and an epoch that ends twice counts once', () => {
  const weights = (value: number) => new Map([['w', { shape: [1], data: Float32Array.of(value) }]]);
  let value = 1;
  const step = { readWeights: () => weights(value), follow: () => {}, readAverage: () => weights(-1) };
  const wanted = { epochs: 3, swa_epochs: 3, ema: { decay: 0.5 } };
  const first = createAverages(wanted, step);
  first.afterUpdate({ epoch: 0, update: 1 });
  first.afterEpoch(1);
  const second = createAverages(wanted, step, structuredClone(first.readState()));
  second.afterEpoch(1);
  assert.equal(second.readState().count, 1);
  assert.equal(second.readState().followed, 1);
  value = 4;
  second.afterEpoch(2);
  assert.deepEqual([...second.results()[0]!.weights.get('w')!.data], [2.5]);
});
