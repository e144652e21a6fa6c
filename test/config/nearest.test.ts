import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { didYouMean, editDistance, nearest } from '../../src/config/nearest.ts';

const DISTANCES: [a: string, b: string, distance: number][] = [
  ['', 'abc', 3],
  ['epochs', 'epochs', 0],
  ['epoch', 'epochs', 1],
  ['epcohs', 'epochs', 1], // one swap of neighbours
  ['kitten', 'sitting', 3], // k→s, e→i, +g
];
for (const [a, b, distance] of DISTANCES) {
  test(`${distance} edits between "${a}" and "${b}"`, () => assert.equal(editDistance(a, b), distance));
}

test('the distance is symmetric, 0 only between equals, and at most the longer length', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance <= Math.max(a.length, b.length));
      assert.ok(distance >= Math.abs(a.length - b.length));
    }),
  );
});

test('a near word, an equal last part, an equal beginning, or nothing', () => {
  const choices = ['epochs', 'data.fold', 'lr_schedule.lr', 'warmup_updates'];
  assert.equal(nearest('Epoch', choices), 'epochs');
  assert.equal(nearest('fold', choices), 'data.fold');
  assert.equal(nearest('lr', choices), 'lr_schedule.lr');
  assert.equal(nearest('warmup', choices), 'warmup_updates');
  assert.equal(nearest('zebra', choices), undefined);
  assert.equal(didYouMean('epoch', choices), 'Did you mean epochs?');
  assert.equal(didYouMean('zebra', choices), '');
});
