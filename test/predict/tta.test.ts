import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ttaConfig } from '../../src/config/tta.ts';
import { tf } from '../../src/engine/tf.ts';
import { sideOf, type TtaView, viewOf } from '../../src/predict/tta.ts';
import { loadForTests } from '../engine/load-for-tests.ts';

before(loadForTests);

const SIDE = 64;
const VIEWS = ttaConfig.parse([
  'none',
  'hflip',
  'scale-0.75',
  'scale-1.25',
  'shift-left',
  'shift-right',
  'shift-up',
  'shift-down',
]);

/** A picture that is a smooth hill, so that resizing changes little. */
function hill(): Float32Array {
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    return Math.exp(-((x - 40) ** 2 + (y - 20) ** 2) / 200);
  });
}

function through(view: TtaView, picture: Float32Array): { seen: Float32Array; back: Float32Array } {
  const { see, back } = viewOf(view, SIDE);
  const images = tf.tensor4d(picture, [1, SIDE, SIDE, 1]);
  const seen = see(images);
  return { seen: seen.dataSync() as Float32Array, back: back(seen).dataSync() as Float32Array };
}

for (const view of VIEWS) {
  test(`${view}: what a network that repeats its image sees comes back to where it was`, () => {
    const picture = hill();
    const { back } = through(view, picture);
    const exact = !view.startsWith('scale');
    back.forEach((value, i) => {
      const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
      // At an edge a shift gives back what was mirrored there.
      if (view.startsWith('shift') && Math.min(x, y, SIDE - 1 - x, SIDE - 1 - y) < 2) return;
      const off = Math.abs(value - picture[i]!);
      assert.ok(off <= (exact ? 0 : 0.02), `${view} at ${x},${y}: ${off}`);
    });
  });
}

test('views show what they say', () => {
  const picture = hill();
  const peak = (values: Float32Array, side: number) => {
    const place = values.indexOf(Math.max(...values));
    return [place % side, Math.floor(place / side)];
  };
  const at = (view: TtaView) => peak(through(view, picture).seen, sideOf(view, SIDE));
  assert.deepEqual(at('hflip'), [SIDE - 1 - 40, 20]);
  assert.deepEqual(
    [at('shift-left'), at('shift-right')],
    [
      [38, 20],
      [42, 20],
    ],
  );
  assert.deepEqual(
    [at('shift-up'), at('shift-down')],
    [
      [40, 18],
      [40, 22],
    ],
  );
  // Multiples of 32: 48 and 80 lie between two of them.
  assert.deepEqual([sideOf('scale-0.75', 512), sideOf('scale-1.25', 512)], [384, 640]);
  assert.deepEqual([sideOf('scale-0.75', 256), sideOf('scale-1.25', 768)], [192, 960]);
});
