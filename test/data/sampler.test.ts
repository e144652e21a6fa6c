import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsEmpties, sampleEpoch, samplerAt, samplerSchema } from '../../src/data/sampler.ts';
import { indices } from './loader-fixture.ts';

const isPositive = (index: number) => index < 10;

test('a positive fraction is met, and every positive is seen before one comes again', () => {
  const epoch = sampleEpoch(indices(100), isPositive, { config: { positive_fraction: 0.5 }, seed: 1, epoch: 3 });
  assert.equal(epoch.length, 100);
  const seen = indices(10).map((index) => epoch.filter((other) => other === index).length);
  assert.deepEqual(seen, Array(10).fill(50 / 10));
});

test('without a sampler an epoch is every image once; positives only is no empty one', () => {
  const natural = sampleEpoch(indices(100), isPositive, { config: undefined, seed: 1, epoch: 0 });
  assert.deepEqual(
    natural.sort((a, b) => a - b),
    indices(100),
  );
  const only = sampleEpoch(indices(100), isPositive, { config: { positive_fraction: 1 }, seed: 1, epoch: 0 });
  assert.equal(only.length, 100);
  assert.ok(only.every(isPositive));
});

test('an epoch is a pure function of seed and epoch', () => {
  const draw = (seed: number, epoch: number) =>
    sampleEpoch(indices(60), isPositive, { config: { positive_fraction: 0.4 }, seed, epoch }).join();
  assert.equal(draw(5, 2), draw(5, 2));
  assert.notEqual(draw(5, 2), draw(5, 3));
  assert.notEqual(draw(5, 2), draw(6, 2));
});

test('a schedule goes linearly from the first epoch to the last, and stays', () => {
  const plan = { positive_fraction: { from: 0.8, to: 0.4 } };
  const shares = indices(7).map((epoch) => samplerAt(plan, epoch, 5)!.positive_fraction);
  for (const [epoch, share] of [0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.4].entries()) {
    assert.ok(Math.abs(shares[epoch]! - share) < 1e-12, `epoch ${epoch}: ${shares[epoch]}`);
  }
  assert.deepEqual(samplerAt(plan, 0, 1), { positive_fraction: 0.8 });
  const counts = indices(5).map((epoch) => {
    const config = samplerAt(plan, epoch, 5);
    return sampleEpoch(indices(100), isPositive, { config, seed: 9, epoch }).filter(isPositive).length;
  });
  assert.deepEqual(counts, [80, 70, 60, 50, 40]);
  assert.equal(samplerAt(undefined, 2, 5), undefined);
  assert.deepEqual(samplerAt({ positive_fraction: 0.3 }, 4, 5), { positive_fraction: 0.3 });
});

test('positives only needs no empty image', () => {
  assert.equal(needsEmpties({ positive_fraction: 1 }), false);
  assert.equal(needsEmpties({ positive_fraction: 0.9 }), true);
  assert.equal(needsEmpties({ positive_fraction: { from: 1, to: 0.5 } }), true);
  assert.equal(needsEmpties({ positive_fraction: { from: 1, to: 1 } }), false);
});

const VALUES: [value: unknown, right: boolean][] = [
  [{ positive_fraction: 1 }, true],
  [{ positive_fraction: { from: 0.8, to: 0.4 } }, true],
  [{ positive_fraction: 0 }, false],
  [{ positive_fraction: 1.1 }, false],
  [{ positive_fraction: { from: 0.8 } }, false],
  [{ positive_fraction: { from: 0, to: 0.4 } }, false],
  [{ positive_fraction: { from: 0.8, to: 0.4, over: 3 } }, false],
  [{}, false],
  [{ positive_fraction: 0.5, other: 1 }, false],
  [null, false],
  ['natural', false],
];
for (const [value, right] of VALUES) {
  test(`data.sampler ${right ? 'takes' : 'refuses'} ${JSON.stringify(value)}`, () => {
    assert.equal(samplerSchema(value).safeParse(value).success, right);
  });
}
