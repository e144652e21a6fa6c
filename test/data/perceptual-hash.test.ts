import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { GrayImage } from '../../src/core/image.ts';
import { createRng } from '../../src/core/random.ts';
import { DUPLICATE_BITS, findDuplicates, hashDistance, perceptualHash } from '../../src/data/perceptual-hash.ts';
import { planPhantom } from '../../src/data/phantom/plan.ts';
import { renderRadiograph } from '../../src/data/phantom/render.ts';

type Picture = ReturnType<typeof sharp>;

const plan = planPhantom(40, 11).slice(0, 24);
const pictures = plan.map((image) => renderRadiograph(image, 11).pixels);
const hashes = pictures.map(perceptualHash);

/** The picture after sharp has worked on it. */
async function changed({ width, height, data }: GrayImage, work: (picture: Picture) => Picture) {
  const file = await work(sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('b-w')).toBuffer();
  const { data: bytes, info } = await sharp(file).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(bytes) };
}

function withNoise({ width, height, data }: GrayImage): GrayImage {
  const rng = createRng(1, 'noise');
  return { width, height, data: data.map((value) => Math.min(255, Math.max(0, value + rng.integer(-1, 1)))) };
}

const SAME: Record<string, (picture: GrayImage) => GrayImage | Promise<GrayImage>> = {
  'noise of one grey level': withNoise,
  'less contrast': ({ data, ...size }) => ({ ...size, data: data.map((value) => Math.round(value * 0.8 + 20)) }),
  'JPEG of poor quality': (picture) => changed(picture, (work) => work.jpeg({ quality: 50 })),
  'half the side': (picture) => changed(picture, (work) => work.resize(512, 512).png()),
  'a side that no part divides': (picture) => changed(picture, (work) => work.resize(299, 299).png()),
  'twice the side': (picture) => changed(picture, (work) => work.resize(2048, 2048).png()),
};
for (const [name, change] of Object.entries(SAME)) {
  test(`a picture keeps its hash: ${name}`, async () => {
    for (const [index, picture] of pictures.slice(0, 6).entries()) {
      const distance = hashDistance(hashes[index]!, perceptualHash(await change(picture)));
      assert.ok(distance <= DUPLICATE_BITS / 2, `${distance} bits`);
    }
  });
}

test('different radiographs are far apart, those of one patient too', () => {
  const patients = new Set(plan.map(({ patient }) => patient));
  assert.ok(patients.size < plan.length, 'some patient has several images');
  for (let a = 0; a < hashes.length; a++) {
    for (let b = a + 1; b < hashes.length; b++) {
      const distance = hashDistance(hashes[a]!, hashes[b]!);
      assert.ok(distance > 2 * DUPLICATE_BITS, `${distance} bits between ${a} and ${b}`);
    }
  }
});

test('duplicates are found in order, each pair once', () => {
  const named = new Map(hashes.map((hash, index) => [`image-${index}`, hash]));
  assert.deepEqual(findDuplicates(named), []);
  named.set('copy', perceptualHash(withNoise(pictures[3]!)));
  named.set('copy of a copy', hashes[3]!);
  assert.deepEqual(findDuplicates(named), [
    ['image-3', 'copy'],
    ['image-3', 'copy of a copy'],
    ['copy', 'copy of a copy'],
  ]);
});

test('the distance counts bits, and the border of a duplicate is where the constant says', () => {
  const none = '0'.repeat(64);
  assert.equal(hashDistance(none, none), 0);
  assert.equal(hashDistance(none, 'f'.repeat(64)), 256);
  assert.equal(hashDistance(none, `8${'0'.repeat(62)}1`), 2);
  const ones = (bits: number) => `${'0'.repeat(64 - bits)}${'1'.repeat(bits)}`;
  const pairs = (bits: number) => findDuplicates(new Map([['a', none], ['b', ones(bits)]])); // biome-ignore format: one map
  assert.equal(pairs(DUPLICATE_BITS).length, 1);
  assert.equal(pairs(DUPLICATE_BITS + 1).length, 0);
});

test('a part of the grid gets the share of each pixel that lies in it', () => {
  // 48 pixels over 32 parts: every part is 1.5 pixels wide. One frequency across, none down.
  const data = Uint8Array.from({ length: 48 * 48 }, (_, i) => (i % 48 < 24 ? 200 : 50));
  const hash = perceptualHash({ width: 48, height: 48, data });
  assert.equal(hash.slice(4), '0'.repeat(60), 'nothing changes from row to row');
  // A step down in the middle has the odd cosines alone, in turn positive and negative.
  assert.equal(hash.slice(0, 4), '4444');
});

test('where the pixels begin in memory makes no difference, nor do the widest rows of white', () => {
  const rng = createRng(3, 'pixels');
  for (const [width, height, least] of [
    [128, 64, 0],
    [256, 33, 0],
    [128 * 257, 32, 250],
  ] as const) {
    const data = Uint8Array.from({ length: width * height }, () => rng.integer(least, 255));
    const shifted = new Uint8Array(data.length + 1);
    shifted.set(data, 1);
    const hash = perceptualHash({ width, height, data });
    assert.equal(perceptualHash({ width, height, data: shifted.subarray(1) }), hash);
  }
});

test('a flat picture has one hash whatever its noise, and a picture smaller than the grid has one too', () => {
  const flat: GrayImage = { width: 256, height: 256, data: new Uint8Array(256 * 256).fill(90) };
  assert.equal(perceptualHash(flat), '0'.repeat(64));
  assert.equal(perceptualHash(withNoise(flat)), '0'.repeat(64));
  assert.match(perceptualHash({ width: 3, height: 1, data: Uint8Array.of(0, 255, 0) }), /^[0-9a-f]{64}$/);
});

test('what is no hash is refused', () => {
  assert.throws(() => hashDistance('0'.repeat(63), '0'.repeat(64)), /Expected 64 hexadecimal digits/);
  assert.throws(() => findDuplicates(new Map([['a', `${'0'.repeat(63)}G`]])), RangeError);
});
