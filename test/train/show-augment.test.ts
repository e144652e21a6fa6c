import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { expCommand } from '../../src/commands/exp.ts';
import { silentTerminal } from '../../src/core/terminal.ts';

const YAML = `name: tiny
init: { from: a-run-that-is-not-there }
data: { root: data/none, folds: folds/none.csv, fold: 0, phantom: { images: 6, seed: 3 } }
resolution: 64
model: { encoder: efficientnet-b0, decoder: unet }
loss: { name: bce }
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 2
epochs: 1
augment:
  - { name: hflip, p: 0 }
  - { name: one_of, steps: [{ name: blur }, { name: cutout }] }
`;
/** A picture on the sheet, what is free between two, and a line of text. */
const [SIDE, GAP, LINE] = [256, 6, 24];
let folder: string;
const cache = process.env.PNEUMOTHORAX_CACHE;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'show-augment-'));
  await writeFile(join(folder, 'tiny.yml'), YAML);
  process.env.PNEUMOTHORAX_CACHE = join(folder, 'cache');
});
after(async () => {
  if (cache === undefined) delete process.env.PNEUMOTHORAX_CACHE;
  else process.env.PNEUMOTHORAX_CACHE = cache;
  await rm(folder, { recursive: true });
});

const run = (values: Record<string, string>) =>
  expCommand.run(
    {
      words: ['tiny.yml'],
      values: { show_augment: 'true', ...values },
      cwd: folder,
      signal: new AbortController().signal,
    },
    silentTerminal,
  );

/** Grey levels of the picture in a row and column of the sheet. */
async function readPicture(path: string, row: number, column: number): Promise<Uint8Array> {
  const [left, top] = [GAP + column * (SIDE + GAP), 2 * LINE + row * (LINE + SIDE + GAP)];
  const tile = sharp(path).extract({ left, top, width: SIDE, height: SIDE });
  return await tile.toColourspace('b-w').raw().toBuffer();
}

test('the sheet shows every step alone and all together beside the original, and nothing is trained or installed', async () => {
  const { json } = await run({});
  const { name, sheet, images } = json as { name: string; sheet: string; images: string[] };
  assert.equal(name, 'tiny');
  assert.equal(sheet, join(folder, 'reports', 'augment-tiny.png'));
  assert.ok(images.length >= 2 && new Set(images).size === images.length);
  const { width, height, format } = await sharp(sheet).metadata();
  // A flip, a blur and a cutout alone; then the list on each image.
  const rows = 3 + images.length;
  assert.deepEqual([width, height, format], [GAP + 7 * (SIDE + GAP), LINE + rows * (LINE + SIDE + GAP) + GAP, 'png']);
  const [original, flipped] = [await readPicture(sheet, 0, 0), await readPicture(sheet, 0, 1)];
  const mirrored = original.map((_, i) => original[i - (i % SIDE) + SIDE - 1 - (i % SIDE)]!);
  const apart = (a: Uint8Array, b: Uint8Array) =>
    a.reduce((sum, level, i) => sum + Math.abs(level - b[i]!), 0) / a.length;
  const [near, far] = [apart(flipped, mirrored), apart(flipped, original)];
  assert.ok(near < far / 4, `${near} levels from the mirrored picture, ${far} from the original`);
  for (const row of [1, 2]) assert.notDeepEqual(await readPicture(sheet, row, 1), await readPicture(sheet, row, 0));
  assert.ok(!existsSync(join(folder, 'runs')) && !existsSync(join(folder, 'cache')));
});

test('nothing to show, and a word that is neither true nor false, are refused', async () => {
  await assert.rejects(run({ augment: '[]' }), { name: 'UserError', message: /steps to show for augment of tiny/ });
  await assert.rejects(run({ show_augment: 'yes' }), { name: 'UserError', message: /true or false for show_augment/ });
});
