import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/core/errors.ts';
import {
  areaOfRuns,
  formatRle,
  intersectionArea,
  maskToRuns,
  parseRle,
  runsToMask,
  uniteRuns,
} from '../../src/core/rle.ts';

const SIZE = 12;
const anyMask = fc
  .array(fc.integer({ min: 0, max: 1 }), { minLength: SIZE * SIZE, maxLength: SIZE * SIZE })
  .map((pixels) => ({ width: SIZE, height: SIZE, data: Uint8Array.from(pixels) }));

test('a code is relative, 0-based and column-major', () => {
  // Column 0: rows 1 and 2; column 1: row 0 (gap 12 - 3 = 9).
  const mask = runsToMask(parseRle('1 2 9 1', 'a test', SIZE), SIZE);
  const inside = [...mask.data.keys()].filter((index) => mask.data[index] === 1);
  assert.deepEqual(inside, [1, 1 * SIZE, 2 * SIZE]);
});

test('decoding an encoded mask gives the mask, whatever it touches', () => {
  fc.assert(
    fc.property(anyMask, (mask) => {
      const text = formatRle(maskToRuns(mask));
      assert.deepEqual(runsToMask(parseRle(text, 'a test', SIZE), SIZE).data, mask.data);
    }),
  );
});

test('a run goes on from the bottom of a column to the top of the next', () => {
  // Column 0 from row 10, all of column 1, column 2 up to row 1; column 4's only pixel is alone.
  const runs = Int32Array.of(10, 2 * SIZE + 2, 4 * SIZE + 5, 4 * SIZE + 6);
  assert.deepEqual(maskToRuns(runsToMask(runs, SIZE)), runs);
  fc.assert(
    fc.property(anyMask, (mask) => {
      const found = maskToRuns(mask);
      for (let i = 2; i < found.length; i += 2) assert.ok(found[i]! > found[i - 1]!, 'runs neither touch nor overlap');
    }),
  );
});

test('a run that reaches the last pixel is written', () => {
  const mask = runsToMask(Int32Array.of(SIZE * SIZE - 1, SIZE * SIZE), SIZE);
  assert.equal(formatRle(maskToRuns(mask)), `${SIZE * SIZE - 1} 1`);
});

test('full and empty masks survive', () => {
  assert.equal(formatRle(parseRle('0 144', 'a test', SIZE)), '0 144');
  assert.equal(formatRle(parseRle(' -1', 'a test', SIZE)), '-1');
});

test('union and intersection agree with pixels', () => {
  fc.assert(
    fc.property(anyMask, anyMask, (a, b) => {
      const union = a.data.map((value, i) => value | b.data[i]!);
      assert.deepEqual(runsToMask(uniteRuns([maskToRuns(a), maskToRuns(b)]), SIZE).data, union);
      const both = a.data.reduce((sum, value, i) => sum + (value & b.data[i]!), 0);
      assert.equal(intersectionArea(maskToRuns(a), maskToRuns(b)), both);
      assert.equal(
        areaOfRuns(maskToRuns(a)),
        a.data.reduce((sum, value) => sum + value, 0),
      );
    }),
  );
});

for (const [text, reason] of [
  ['1 1048576', 'runs within 1048576 pixels'],
  ['1 2 3', '-1 or pairs'],
  ['', '-1 or pairs'],
  ['1 -2', 'a whole number of at least 1'],
  ['1 0', 'a whole number of at least 1'],
  ['a b', 'a whole number'],
  ['1.5 2', 'a whole number'],
] as const) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseRle(text, 'image x, line 3'),
      (error) =>
        error instanceof UserError && error.message.includes(reason) && error.message.includes('image x, line 3'),
    );
  });
}
