import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AugmentConfig, augment, augmentConfig } from '../../src/augment/index.ts';
import { createRng } from '../../src/core/random.ts';

const SIZE = 8;
const makeSample = () => ({
  size: SIZE,
  image: Uint8Array.from({ length: SIZE * SIZE }, (_, i) => i * 3),
  mask: Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (i % SIZE < 3 ? 1 : 0)),
});
const always = augmentConfig.options.map(
  (option): AugmentConfig => augmentConfig.parse({ name: option.shape.name.value, p: 1 }),
);

for (const step of always) {
  test(`${step.name} keeps sizes, a binary mask, and repeats itself by seed`, () => {
    const [first, second] = [makeSample(), makeSample()];
    augment([step], first, createRng(1, 'a'));
    augment([step], second, createRng(1, 'a'));
    assert.deepEqual(first, second);
    assert.equal(first.image.length, SIZE * SIZE);
    assert.ok(first.mask.every((value) => value === 0 || value === 1));
    assert.notDeepEqual(first.image, makeSample().image);
  });

  test(`${step.name} does nothing with probability 0`, () => {
    const sample = makeSample();
    augment([{ ...step, p: 0 }], sample, createRng(1, 'a'));
    assert.deepEqual(sample, makeSample());
  });
}

test('a flip mirrors image and mask together', () => {
  const sample = makeSample();
  augment([{ name: 'hflip', p: 1 }], sample, createRng(1));
  const before = makeSample();
  for (let i = 0; i < SIZE * SIZE; i++) {
    const mirrored = i - (i % SIZE) + (SIZE - 1 - (i % SIZE));
    assert.equal(sample.image[i], before.image[mirrored]);
    assert.equal(sample.mask[i], before.mask[mirrored]);
  }
});
