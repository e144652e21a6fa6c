import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MemberMap, meanProbability } from '../../src/postprocess/mean-probability.ts';
import { thresholdMap } from '../../src/postprocess/threshold-map.ts';

interface GoldenMap {
  size: number;
  threshold: number;
  members: { resolution: number; weight: number; probabilities: number[] }[];
  mean: number[];
  mask: string;
}

test('scipy agrees on the weighted mean of upsampled maps and its mask (test/golden/make-postprocess.py)', () => {
  const file = new URL('../golden/postprocess.json', import.meta.url);
  const { maps } = JSON.parse(readFileSync(file, 'utf8')) as { maps: GoldenMap[] };
  assert.equal(maps.length, 5);
  for (const { size, threshold, members: plain, mean, mask } of maps) {
    const members = plain.map((member) => ({ ...member, probabilities: Uint8Array.from(member.probabilities) }));
    for (const [i, value] of meanProbability(members, size).entries()) {
      assert.ok(Math.abs(value - mean[i]!) < 1e-11, `pixel ${i} of ${size}²: ${value} against ${mean[i]}`);
    }
    assert.equal(thresholdMap(members, threshold, size).data.join(''), mask);
  }
});

test('twice the side: pixel 1 lies a quarter of the way from the first value to the second', () => {
  const member = { probabilities: Uint8Array.of(0, 200, 0, 200), resolution: 2, weight: 1 };
  const row = [0, 0.25 * 200, 0.75 * 200, 200].map((byte) => byte / 255);
  assert.deepEqual([...meanProbability([member], 4)], [...row, ...row, ...row, ...row]);
});

test('a pixel at the threshold is outside', () => {
  const member = { probabilities: new Uint8Array(16).fill(128), resolution: 4, weight: 3 };
  assert.equal(thresholdMap([member], 128 / 255, 4).data.indexOf(1), -1);
  assert.equal(thresholdMap([member], 127.999 / 255, 4).data.indexOf(0), -1);
  assert.equal(thresholdMap([member, member], 128 / 255, 4).data.indexOf(1), -1);
});

const anyMember = (resolution: number, byte: fc.Arbitrary<number>): fc.Arbitrary<MemberMap> =>
  fc.array(byte, { minLength: resolution ** 2, maxLength: resolution ** 2 }).map((bytes) => ({
    probabilities: Uint8Array.from(bytes),
    resolution,
    weight: 1,
  }));

/** Far from the threshold, near it, and anything: so that corners agree, disagree and tie. */
const anyByte = fc.oneof(fc.constantFrom(0, 0, 0, 127, 128, 255), fc.integer({ min: 0, max: 255 }));
const anyThreshold = fc.oneof(
  fc.constantFrom(0, 0.5, 127 / 255, 128 / 255, 0.999),
  fc.double({ min: 0, max: 0.9999, noNaN: true }),
);

test('what is skipped for one member is what the plain way computes, at every ratio of sides', () => {
  const anyCase = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 30 }))
    .chain(([resolution, size]) => fc.tuple(anyMember(resolution, anyByte), fc.constant(size)));
  fc.assert(
    fc.property(anyCase, anyThreshold, ([member, size], threshold) => {
      const plain = meanProbability([member], size).map((value) => (value > threshold ? 1 : 0));
      assert.deepEqual([...thresholdMap([member], threshold, size).data], [...plain]);
    }),
    { numRuns: 1000 },
  );
});

test('what is skipped for several members is what the plain way computes, ties among them', () => {
  const anyCase = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 24 }))
    .chain(([a, b, size]) => fc.tuple(anyMember(a, anyByte), anyMember(b, anyByte), fc.constant(size)));
  const anyWeight = fc.constantFrom(1, 2, 3, 0.1);
  fc.assert(
    fc.property(anyCase, anyThreshold, anyWeight, ([first, second, size], threshold, weight) => {
      const members = [first, { ...second, weight }, { ...first, weight: 0.7 }];
      const plain = meanProbability(members, size).map((value) => (value > threshold ? 1 : 0));
      assert.deepEqual([...thresholdMap(members, threshold, size).data], [...plain]);
    }),
    { numRuns: 1000 },
  );
});

test('rounding never leaves the corners: no value of an interpolated map is beyond those around it', () => {
  const anyCase = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 99 }))
    .chain(([resolution, size]) => fc.tuple(anyMember(resolution, anyByte), fc.constant(size)));
  fc.assert(
    fc.property(anyCase, ([member, size]) => {
      const [least, most] = [Math.min(...member.probabilities), Math.max(...member.probabilities)];
      for (const value of meanProbability([member], size)) assert.ok(value >= least / 255 && value <= most / 255);
    }),
  );
});

test('only the proportions of weights count', () => {
  fc.assert(
    fc.property(anyMember(5, anyByte), anyMember(3, anyByte), anyThreshold, (a, b, threshold) => {
      const once = thresholdMap([a, b], threshold, 10);
      const fourTimes = thresholdMap(
        [
          { ...a, weight: 4 },
          { ...b, weight: 4 },
        ],
        threshold,
        10,
      );
      assert.deepEqual(once, fourTimes);
    }),
  );
});

test('refuses a map of another size, and no map at all', () => {
  const member = { probabilities: new Uint8Array(15), resolution: 4, weight: 1 };
  assert.throws(() => thresholdMap([member], 0.5), /side 4 has 16 values, not 15/);
  assert.throws(() => thresholdMap([], 0.5), /at least one member/);
});
