import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { planPhantom } from '../../src/data/phantom/plan.ts';
import { encodeRadiograph } from '../../src/data/phantom/radiograph-file.ts';
import { renderRadiograph } from '../../src/data/phantom/render.ts';
import { decodePixels } from '../../src/dicom/decode.ts';
import { parseDicom } from '../../src/dicom/parse.ts';
import type { StoredPixels } from '../../src/dicom/stored-pixels.ts';
import { extent, fromBase64, mostApart, readGolden } from './golden.ts';

/** What pydicom and Pillow decode of one phantom radiograph (test/golden/dicom-phantom.py). */
interface PhantomCase {
  sha256: string;
  min: number;
  max: number;
  means: string;
  pixels: string;
  pixelsSha256: string;
}

const SEED = 42;
const BLOCK = 64;
const STEP = 37;
const golden = new Map(Object.entries(readGolden<Record<string, PhantomCase>>('dicom-phantom.json')));
const planned = planPhantom(50, SEED).filter(({ id }) => golden.has(id));

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** In 1/256 of a grey level, of blocks of 64². */
function blockMeans({ width, height, data }: StoredPixels): number[] {
  const across = width / BLOCK;
  const sums = new Array<number>((across * height) / BLOCK).fill(0);
  for (let i = 0; i < data.length; i++) {
    sums[Math.floor(i / width / BLOCK) * across + Math.floor((i % width) / BLOCK)]! += data[i]!;
  }
  return sums.map((sum) => (sum / BLOCK ** 2) * 256);
}

function everyStep({ width, height, data }: StoredPixels): number[] {
  const kept: number[] = [];
  for (let y = 0; y < height; y += STEP) for (let x = 0; x < width; x += STEP) kept.push(data[y * width + x]!);
  return kept;
}

test('50 phantom radiographs decode to the pixels of pydicom and Pillow, within one grey level', async (context) => {
  assert.equal(planned.length, 50);
  let equal = 0;
  for (const image of planned) {
    const bytes = await encodeRadiograph(image, renderRadiograph(image, SEED).pixels, SEED);
    const wanted = golden.get(image.id)!;
    assert.equal(sha256(bytes), wanted.sha256, 'the phantom changed: run test/golden/dicom-phantom.py again');
    const pixels = await decodePixels(parseDicom(bytes, image.id));
    if (sha256(Uint8Array.from(pixels.data)) === wanted.pixelsSha256) equal += 1;
    const means = new Uint16Array(fromBase64(wanted.means).buffer);
    assert.ok(mostApart(blockMeans(pixels), means) <= 256, image.id);
    assert.ok(mostApart(everyStep(pixels), fromBase64(wanted.pixels)) <= 1, image.id);
    assert.ok(mostApart(extent(pixels.data), [wanted.min, wanted.max]) <= 1, image.id);
  }
  context.diagnostic(`${equal} of 50 are equal in every pixel`);
});
