import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { emptyMask } from '../../src/core/image.ts';
import { writeOverlay } from '../../src/train/overlay.ts';

const SIDE = 64;
/** Noise, whose PNG is large. */
const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (i * 7919) % 251);

test('whoever reads an overlay that is drawn once more reads a whole one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'overlay-'));
  const path = join(folder, 'overlays/one.png');
  const draw = () => writeOverlay(path, pixels, SIDE, new Int32Array([100, 5000]), emptyMask(1024));
  try {
    await draw();
    const whole = await readFile(path);
    assert.deepEqual((await sharp(whole).metadata()).width, 1024);
    let drawing = true;
    const drawn = (async () => {
      for (let time = 0; time < 20; time++) await draw();
      drawing = false;
    })();
    // An uploader reads it while a run that was taken up draws it again.
    let reads = 0;
    for (; drawing; reads++) assert.equal(Buffer.compare(await readFile(path), whole), 0, `read ${reads}`);
    await drawn;
    assert.ok(reads > 20, `${reads} reads`);
    assert.deepEqual(await readdir(join(folder, 'overlays')), ['one.png']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
