import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutoutConfig } from '../../src/augment/cutout.ts';
import { augmentConfig } from '../../src/augment/index.ts';
import { chooseStep } from '../../src/augment/one-of.ts';
import { createRng } from '../../src/core/random.ts';
import { apply } from './discs.ts';

const white = (size: number) => ({
  size,
  image: new Uint8Array(size * size).fill(200),
  mask: new Uint8Array(size * size).fill(1),
});

test('cutout covers whole rectangles inside the image, as many and as large as it says', () => {
  const step = cutoutConfig.parse({
    name: 'cutout',
    p: 1,
    num_holes_range: [1, 1],
    hole_height_range: [0.1, 0.5],
    hole_width_range: [0.05, 1],
    fill: 9,
  });
  const places = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const size = 20;
    const { image, mask } = apply(step, white(size), seed);
    const covered = [...image.keys()].filter((i) => image[i] === 9);
    const [rows, columns] = [covered.map((i) => Math.floor(i / size)), covered.map((i) => i % size)];
    const [height, width] = [rows, columns].map((at) => 1 + Math.max(...at) - Math.min(...at)) as [number, number];
    assert.equal(covered.length, height * width);
    assert.ok(height >= 2 && height <= 10 && width >= 1 && width <= 20, `${height} × ${width}`);
    assert.ok(
      mask.every((value) => value === 1),
      'the mask stays',
    );
    for (const [name, at, last] of [
      ['top', Math.min(...rows), 0],
      ['left', Math.min(...columns), 0],
      ['bottom', Math.max(...rows), 19],
      ['right', Math.max(...columns), 19],
    ] as const) {
      if (at === last) places.add(name);
    }
  }
  assert.equal(places.size, 4, 'every rim is reached');
});

test('cutout takes the mask away with the image where it is told to', () => {
  const step = cutoutConfig.parse({ name: 'cutout', p: 1, num_holes_range: [3, 3], fill_mask: 0 });
  const { image, mask } = apply(step, white(40));
  assert.deepEqual(
    mask,
    image.map((level) => (level === 0 ? 0 : 1)),
  );
  assert.ok(mask.includes(0));
});

test('one_of draws by the weights of its steps, as often as its own p says', () => {
  const steps = [
    { name: 'a', p: 0.5 },
    { name: 'b', p: 0 },
    { name: 'c', p: 0.25 },
    { name: 'd', p: 0.25 },
  ];
  const rng = createRng(3);
  const drawn = Array.from({ length: 20_000 }, () => chooseStep({ p: 0.3, steps }, rng));
  const count = (name: string | undefined) => drawn.filter((step) => step?.name === name).length / drawn.length;
  // Standard errors are at most 0.0032.
  for (const [name, share] of [
    [undefined, 0.7],
    ['a', 0.15],
    ['b', 0],
    ['c', 0.075],
    ['d', 0.075],
  ] as const) {
    assert.ok(Math.abs(count(name) - share) < 0.013, `${name}: ${count(name)} for ${share}`);
  }
  assert.ok(
    drawn.every((step) => step === undefined || step.p === 1),
    'what is drawn is certain',
  );
});

test('one_of does what the chosen step alone does', () => {
  const one = augmentConfig.parse({ name: 'one_of', p: 1, steps: [{ name: 'cutout', fill: 3 }] });
  const changed = apply(one, white(16));
  assert.ok(changed.image.includes(3) && changed.image.includes(200));
});

test('a one_of without a step that can be drawn, and one in another, are refused', () => {
  const parse = (value: object) => augmentConfig.safeParse({ name: 'one_of', ...value }).success;
  assert.equal(parse({ steps: [{ name: 'hflip' }, { name: 'blur', p: 0 }] }), true);
  for (const wrong of [
    {},
    { steps: [] },
    { steps: [{ name: 'hflip', p: 0 }] },
    { steps: [{ name: 'flip' }] },
    { steps: [{ name: 'one_of', steps: [{ name: 'hflip' }] }] },
  ]) {
    assert.equal(parse(wrong), false, JSON.stringify(wrong));
  }
});
