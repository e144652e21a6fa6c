import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AugmentConfig, augment, augmentConfig } from '../../src/augment/index.ts';
import { createRng } from '../../src/core/random.ts';
import { apply, copyOf, discSample, iou, MIDDLE } from './discs.ts';

/** Keys that have no default. */
const NEEDED: Partial<Record<AugmentConfig['name'], object>> = {
  one_of: { steps: [{ name: 'shift_scale_rotate' }, { name: 'gamma' }] },
};
const always = augmentConfig.options.map((option): AugmentConfig => {
  const name = option.shape.name.value;
  return augmentConfig.parse({ name, p: 1, ...NEEDED[name] });
});
/** Even and odd; the largest first, so that memory left over from it would show. */
const SIZES = [96, 64, 33];
const SEEDS = Array.from({ length: 12 }, (_, seed) => seed);

for (const step of always) {
  test(`${step.name} keeps sizes, a binary mask, and repeats itself by seed`, () => {
    for (const size of SIZES) {
      const [first, second] = [apply(step, discSample(size)), apply(step, discSample(size))];
      assert.deepEqual(first, second);
      assert.deepEqual([first.size, first.image.length, first.mask.length], [size, size * size, size * size]);
      assert.ok(first.mask.every((value) => value === 0 || value === 1));
      assert.notDeepEqual(first.image, discSample(size).image);
    }
    // A flip draws nothing that its result shows.
    if (step.name === 'hflip') return;
    const results = SEEDS.map((seed) => Buffer.from(apply(step, discSample(64), seed).image).toString('latin1'));
    assert.ok(new Set(results).size > 1, 'other seeds, other images');
  });

  test(`${step.name} does nothing with probability 0, and draws one number for that`, () => {
    const sample = discSample(33);
    const rng = createRng(1, 'a');
    augment([{ ...step, p: 0 }], sample, rng);
    assert.deepEqual(sample, discSample(33));
    const other = createRng(1, 'a');
    other.uniform();
    assert.equal(rng.uniform(), other.uniform());
  });

  test(`${step.name} happens as often as p says`, () => {
    const original = discSample(16);
    const times = Array.from({ length: 400 }, (_, seed) => apply({ ...step, p: 0.25 }, copyOf(original), seed));
    const changed = times.filter(({ image }) => image.some((level, i) => level !== original.image[i])).length;
    // 100 expected, 9 the standard deviation; a step may draw what changes nothing at so small a size.
    assert.ok(changed > 60 && changed < 135, `${changed} of 400`);
  });

  test(`${step.name}: the mask of a transformed disc is the transformed disc`, () => {
    for (const size of SIZES) {
      for (const seed of SEEDS) {
        const { image, mask } = apply(step, discSample(size), seed);
        // What is black was covered, or comes from outside: it tells nothing.
        const seen = image.map((level) => (level > 0 ? 1 : 0));
        const bright = image.map((level) => (level > MIDDLE ? 1 : 0));
        const inside = mask.map((value, i) => value & seen[i]!);
        const overlap = iou(inside, bright);
        assert.ok(overlap > 0.93, `IoU ${overlap} at ${size}², seed ${seed}`);
      }
    }
  });

  test(`${step.name} leaves an empty mask empty, and the image the same as with one`, () => {
    const [empty, full] = [discSample(64), discSample(64)];
    empty.mask.fill(0);
    apply(step, empty, 3);
    apply(step, full, 3);
    assert.ok(empty.mask.every((value) => value === 0));
    assert.deepEqual(empty.image, full.image);
  });

  test(`${step.name} works in shared memory, at any place of it`, () => {
    const size = 33;
    const wanted = apply(step, discSample(size));
    const memory = new Uint8Array(new SharedArrayBuffer(2 * size * size + 7));
    const sample = { size, image: memory.subarray(3, 3 + size * size), mask: memory.subarray(5 + size * size, -2) };
    sample.image.set(discSample(size).image);
    sample.mask.set(discSample(size).mask);
    apply(step, sample);
    assert.deepEqual(sample.image.slice(), wanted.image);
    assert.deepEqual(sample.mask.slice(), wanted.mask);
    assert.deepEqual([memory[0], memory[2], memory[4 + size * size], memory.at(-1)], [0, 0, 0, 0]);
  });
}

test('a flip mirrors image and mask together', () => {
  const size = 7;
  const make = () => ({
    size,
    image: Uint8Array.from({ length: size * size }, (_, i) => i * 3),
    mask: Uint8Array.from({ length: size * size }, (_, i) => (i % size < 3 ? 1 : 0)),
  });
  const [sample, before] = [apply({ name: 'hflip', p: 1 }, make()), make()];
  for (let i = 0; i < size * size; i++) {
    const mirrored = i - (i % size) + (size - 1 - (i % size));
    assert.equal(sample.image[i], before.image[mirrored]);
    assert.equal(sample.mask[i], before.mask[mirrored]);
  }
});
