import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ShiftScaleRotateConfig, shiftScaleRotateConfig } from '../../src/augment/shift-scale-rotate.ts';
import { createRng } from '../../src/core/random.ts';
import { apply, type Circle, circleIn, discSample, fillCircle, iou } from './discs.ts';

const step = (config: Partial<ShiftScaleRotateConfig> = {}) =>
  shiftScaleRotateConfig.parse({ name: 'shift_scale_rotate', p: 1, ...config });

/** The numbers that the step draws, in its order, and where they bring a circle. */
function moveCircle({ x, y, radius }: Circle, size: number, config: ShiftScaleRotateConfig, seed: number): Circle {
  const rng = createRng(seed, 'a');
  rng.chance(1);
  const within = (limit: number) => rng.between(-limit, limit);
  const angle = (within(config.rotate_limit) * Math.PI) / 180;
  const scale = 1 + within(config.scale_limit);
  const [right, down] = [within(config.shift_limit) * size, within(config.shift_limit) * size];
  const centre = (size - 1) / 2;
  const [u, v] = [x - centre, y - centre];
  return {
    x: centre + right + scale * (Math.cos(angle) * u - Math.sin(angle) * v),
    y: centre + down + scale * (Math.sin(angle) * u + Math.cos(angle) * v),
    radius: scale * radius,
  };
}

test('a disc becomes the disc that centre, scale, angle and shift make of it', () => {
  const config = step({ shift_limit: 0.2, scale_limit: 0.5, rotate_limit: 180 });
  for (const size of [64, 65]) {
    for (let seed = 0; seed < 40; seed++) {
      const { mask } = apply(config, discSample(size), seed);
      const overlap = iou(mask, fillCircle(size, moveCircle(circleIn(size), size, config, seed)));
      assert.ok(overlap > 0.95, `IoU ${overlap} at ${size}², seed ${seed}`);
    }
  }
});

test('limits of 0 change nothing', () => {
  const still = step({ shift_limit: 0, scale_limit: 0, rotate_limit: 0 });
  for (const size of [32, 33]) assert.deepEqual(apply(still, discSample(size)), discSample(size));
});

test('what comes from outside is black and no mask, or the image mirrored', () => {
  const all = () => ({ size: 40, image: new Uint8Array(1600).fill(77), mask: new Uint8Array(1600).fill(1) });
  const shifted = { shift_limit: 0.9, scale_limit: 0, rotate_limit: 0 };
  const { image, mask } = apply(step(shifted), all(), 2);
  const outside = image.filter((level) => level === 0).length;
  assert.ok(outside > 400 && outside < 1600, `${outside} black`);
  // At the rim pixels are blended with black, and the mask is at one side of the half.
  for (let i = 0; i < image.length; i++)
    if (Math.abs(image[i]! - 38.5) > 1) assert.equal(mask[i], image[i]! > 38 ? 1 : 0);
  assert.deepEqual(apply(step({ ...shifted, border: 'reflect' }), all(), 2), all());
});

test('limits out of range are refused', () => {
  for (const wrong of [
    { scale_limit: 1 },
    { rotate_limit: 181 },
    { shift_limit: -0.1 },
    { border: 'wrap' },
    { angle: 3 },
  ]) {
    assert.equal(shiftScaleRotateConfig.safeParse({ name: 'shift_scale_rotate', ...wrong }).success, false);
  }
});
