import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEpochMixture } from '../../src/train/epoch-mixture.ts';

test('the share of positives counts every image as often as it was trained on', () => {
  const images = [
    { id: 'a', truth: Int32Array.of(4, 7) },
    { id: 'b', truth: new Int32Array() },
    { id: 'c', truth: undefined },
  ];
  const mixture = createEpochMixture(images);
  mixture.see(['a', 'b']);
  mixture.see(['a', 'a']);
  assert.deepEqual(mixture.metrics(), { 'train/positive_fraction': 0.75 });
  mixture.see(['b', 'c']);
  assert.deepEqual(mixture.metrics(), { 'train/positive_fraction': 0.5 });
  assert.ok(Number.isNaN(createEpochMixture(images).metrics()['train/positive_fraction']));
});
