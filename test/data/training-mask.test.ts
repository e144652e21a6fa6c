import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskToRuns } from '../../src/core/rle.ts';
import { drawMask, maskAtResolution } from '../../src/data/training-mask.ts';

test('a mask at another resolution is where at least half of a pixel is inside', () => {
  const anyMask = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 144, maxLength: 144 });
  fc.assert(
    fc.property(anyMask, fc.constantFrom(4, 6, 8, 9, 12), (pixels, resolution) => {
      const runs = maskToRuns({ width: 12, height: 12, data: Uint8Array.from(pixels) });
      const mask = maskAtResolution(runs, resolution, 12);
      const scale = 12 / resolution;
      const overlap = (from: number, to: number) =>
        Math.max(0, Math.min(from + 1, (to + 1) * scale) - Math.max(from, to * scale));
      mask.forEach((value, target) => {
        const [x, y] = [target % resolution, Math.floor(target / resolution)];
        let inside = 0;
        pixels.forEach((pixel, i) => {
          inside += pixel * overlap(i % 12, x) * overlap(Math.floor(i / 12), y);
        });
        assert.equal(value, inside >= (scale * scale) / 2 - 1e-9 ? 1 : 0);
      });
    }),
  );
});

test('drawing replaces what was there, also with nothing', () => {
  const mask = new Uint8Array(16).fill(7);
  // Columns 4 to 8 of 12, rows 3 to 9: at 4² columns 1 and 2, rows 1 and 2.
  const runs = Int32Array.from([4, 5, 6, 7, 8].flatMap((x) => [x * 12 + 3, x * 12 + 9]));
  drawMask(runs, 4, mask, 12);
  assert.deepEqual([...mask], [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
  drawMask(new Int32Array(0), 4, mask, 12);
  assert.ok(mask.every((value) => value === 0));
});
