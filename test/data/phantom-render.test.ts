import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskArea } from '../../src/core/image.ts';
import { planPhantom } from '../../src/data/phantom/plan.ts';
import { type Radiograph, renderRadiograph } from '../../src/data/phantom/render.ts';

const plan = planPhantom(80, 5);
const positives = plan
  .filter((image) => image.positive)
  .slice(0, 10)
  .map((image) => renderRadiograph(image, 5));

test('a positive has masks and a negative has none', () => {
  for (const { masks } of positives) {
    assert.ok(masks.length >= 1);
    for (const mask of masks) assert.ok(maskArea(mask) > 0);
  }
  assert.deepEqual(renderRadiograph(plan.find((image) => !image.positive)!, 5).masks, []);
});

test('no grey levels are inverted: air beside the neck is black, the spine is bright', () => {
  for (const { pixels } of positives) {
    const meanOf = (left: number, top: number) => {
      let sum = 0;
      for (let y = top; y < top + 40; y++) for (let x = left; x < left + 40; x++) sum += pixels.data[y * 1024 + x]!;
      return sum / 1600;
    };
    assert.ok(meanOf(492, 700) > meanOf(80, 80) + 60);
  }
});

test('air has no lung markings: it is smoother than the lung', () => {
  // Means of 8×8 pixels (one pixel at 128²): noise is gone, ribs are slow, markings are what changes from one to the next.
  const measured = positives.map(roughness).filter(({ count }) => count >= 10);
  assert.ok(measured.length >= 4, 'enough pockets are thick');
  const smoother = measured.filter(({ inside, mirrored }) => inside < mirrored);
  assert.ok(smoother.length >= measured.length - 1, JSON.stringify(measured));
});

/** Mean bend from block to block along a row (their second difference) within the air and at the mirrored places in the other lung. */
function roughness({ pixels, masks }: Radiograph): { inside: number; mirrored: number; count: number } {
  const air = (x: number, y: number) => masks.some((mask) => mask.data[y * 1024 + x] === 1);
  const block = (x: number, y: number) => {
    let sum = 0;
    for (let dy = -4; dy < 4; dy++) for (let dx = -4; dx < 4; dx++) sum += pixels.data[(y + dy) * 1024 + x + dx]!;
    return sum / 64;
  };
  const bend = (x: number, y: number) => Math.abs(block(x - 8, y) - 2 * block(x, y) + block(x + 8, y));
  let [inside, mirrored, count] = [0, 0, 0];
  for (let y = 32; y < 992; y += 8) {
    for (let x = 32; x < 992; x += 8) {
      if (![-24, 0, 24].every((d) => air(x + d, y) && air(x, y + d)) || air(1023 - x, y)) continue;
      inside += bend(x, y);
      mirrored += bend(1023 - x, y);
      count++;
    }
  }
  return { inside: inside / count, mirrored: mirrored / count, count };
}
