import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sha256 } from '../../src/core/atomic-file.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { ingest } from '../../src/data/ingest.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { ensurePixelCache } from '../../src/data/pixel-cache.ts';
import { NORMALISATION_NONE } from '../../src/dicom/normalise.ts';
import {
  fixtureDicom,
  fixtureFile,
  fixturePixels,
  put,
  recordingTerminal,
  SIDE,
  temporaryFolder,
  writeCompetition,
} from './fixture-competition.ts';

const IMAGES = [1, 2, 3, 4, 5, 6].map((n) => ({
  id: `1.2.${n}`,
  set: 'stage1-train' as const,
  patientId: `p${n % 3}`,
}));
const LABELS: [string, string][] = [
  ['1.2.1', '0 10'],
  ['1.2.2', '-1'],
  ['1.2.3', '-1'],
  ['1.2.4', '7 3'],
  ['1.2.5', '-1'],
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

async function freshRoot(name: string): Promise<string> {
  const root = join(folder.path, name);
  await writeCompetition(root, IMAGES, LABELS);
  await ingest({ root }, silentTerminal);
  return root;
}

async function cacheFiles(root: string): Promise<string[]> {
  return (await readdir(join(root, 'cache'))).sort();
}

test('a data set gives pixels and truth, building its cache once', async () => {
  const root = await freshRoot('whole');
  const dataset = await openDataset({ root, resolution: SIDE }, silentTerminal);
  assert.deepEqual(
    dataset.images.map(({ id, truth }) => [id, truth === undefined ? undefined : [...truth]]),
    [
      ['1.2.1', [0, 10]],
      ['1.2.2', []],
      ['1.2.3', []],
      ['1.2.4', [7, 10]],
      ['1.2.5', []],
      ['1.2.6', undefined],
    ],
  );
  for (const [index, { id }] of dataset.images.entries()) {
    const wanted = fixturePixels(id);
    const differences = dataset.readPixels(index).map((value, i) => Math.abs(value - wanted[i]!));
    assert.ok(Math.max(...differences) <= 4, 'JPEG at quality 95 of a smooth picture');
  }
  assert.throws(() => dataset.readPixels(IMAGES.length), RangeError);
  dataset.close();
  assert.throws(() => dataset.readPixels(0), /closed/);
  const terminal = recordingTerminal();
  const before = await cacheFiles(root);
  (await openDataset({ root, resolution: SIDE }, terminal)).close();
  assert.deepEqual([await cacheFiles(root), terminal.lines], [before, []]);
});

test('the cache has the same bytes with 1 worker and with 2', async () => {
  const root = join(folder.path, 'workers');
  const images = Array.from({ length: 20 }, (_, n) => ({ id: `1.2.${n}`, set: 'stage1-train' as const }));
  await writeCompetition(root, images, LABELS);
  const sources = (await ingest({ root }, silentTerminal)).rows;
  const content = { root, resolution: 32, normalisation: NORMALISATION_NONE, sources };
  const digests: string[] = [];
  for (const workers of [1, 2]) {
    const path = await ensurePixelCache({ ...content, verify: 'size', workers }, silentTerminal);
    digests.push(sha256(await readFile(path)));
    await rm(join(root, 'cache'), { recursive: true });
  }
  assert.equal(digests[0], digests[1]);
});

test('two builders at once build one cache', async () => {
  const root = await freshRoot('two');
  const [a, b] = await Promise.all([1, 2].map(() => openDataset({ root, resolution: 32 }, silentTerminal)));
  assert.deepEqual(a!.readPixels(3), b!.readPixels(3));
  a!.close();
  b!.close();
  assert.equal((await cacheFiles(root)).length, 2);
});

test('a damaged cache is built again, aloud', async () => {
  const root = await freshRoot('damaged');
  (await openDataset({ root, resolution: 32 }, silentTerminal)).close();
  const [pixels, index] = (await cacheFiles(root)).map((name) => join(root, 'cache', name));
  const whole = await readFile(pixels!);
  const damages = [
    () => truncate(pixels!, whole.length - 1),
    () => writeFile(index!, '{'),
    () => rm(index!),
    () => rm(pixels!),
    () => writeFile(join(root, 'cache', '.half.pixels.tmp'), ''),
  ];
  for (const [n, damage] of damages.entries()) {
    await damage();
    const terminal = recordingTerminal();
    (await openDataset({ root, resolution: 32 }, terminal)).close();
    assert.deepEqual(await readFile(pixels!), whole);
    assert.equal(/is damaged \(.*\): building it again/.test(terminal.lines.join()), n < 4, `damage ${n}`);
  }
});

test('ingest finds a changed byte in the cache that opening does not look for', async () => {
  const root = await freshRoot('bit');
  await ingest({ root, resolution: 32 }, silentTerminal);
  const pixels = join(root, 'cache', (await cacheFiles(root))[0]!);
  const whole = await readFile(pixels);
  await writeFile(pixels, whole.with(77, whole[77]! ^ 1));
  const terminal = recordingTerminal();
  await ingest({ root, resolution: 32 }, terminal);
  assert.match(terminal.lines.join(), /SHA-256 is another.*building it again/);
  assert.deepEqual(await readFile(pixels), whole);
});

test('changed labels change the digest and are warned about; moved times do not', async () => {
  const root = await freshRoot('relabelled');
  const open = async () => {
    const terminal = recordingTerminal();
    const dataset = await openDataset({ root, resolution: 32 }, terminal);
    dataset.close();
    return { digest: dataset.digest, lines: terminal.lines };
  };
  const first = await open();
  await utimes(join(root, fixtureFile(IMAGES[0]!)), 1, 1);
  assert.deepEqual(await open(), first);
  await put(root, 'train-rle.csv', LABELS.map(([id]) => `${id},-1`).join('\n'));
  const second = await open();
  assert.notEqual(second.digest, first.digest);
  // The two positives of the fixture became empty.
  assert.match(second.lines.join(), /train-rle\.csv: the labels of 2 images are not those of catalogue\.csv/);
});

test('a cache larger than the disk is refused before a byte of it is written', async () => {
  const root = await freshRoot('huge');
  // 6 images of 2^24 × 2^24 pixels: 1.5 PiB.
  const opening = openDataset({ root, resolution: 2 ** 24 }, silentTerminal);
  await assert.rejects(opening, /Not enough room for .*pixels: it takes 1572864\.00 GiB and \d+\.\d\d GiB are free/);
  assert.deepEqual(await cacheFiles(root), []);
});

test('image files that came, went or changed since are refused', async () => {
  const root = await freshRoot('changed');
  const refuses = (message: RegExp) =>
    assert.rejects(openDataset({ root, resolution: 32 }, silentTerminal), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      return true;
    });
  await put(root, fixtureFile({ id: 'ID_9', set: 'stage2-test' }), await fixtureDicom({ id: 'ID_9' }));
  await refuses(/1 new, 0 gone, 0 of another size/);
  await rm(join(root, fixtureFile({ id: 'ID_9', set: 'stage2-test' })));
  const file = join(root, fixtureFile(IMAGES[0]!));
  const bytes = await readFile(file);
  await rm(file);
  await refuses(/0 new, 1 gone, 0 of another size.*npm run ingest/);
  await writeFile(file, bytes.subarray(1));
  await refuses(/0 new, 0 gone, 1 of another size/);
  // Same size, other bytes: seen when the cache is built.
  await writeFile(file, bytes.with(bytes.length - 20, bytes.at(-20)! ^ 1));
  await refuses(/1\.2\.1\.dcm: changed since it was catalogued/);
  assert.deepEqual(await cacheFiles(root), [], 'nothing half-written');
});

test('a cache travels without the image files', async () => {
  const root = await freshRoot('light');
  (await openDataset({ root, resolution: 32 }, silentTerminal)).close();
  await rm(join(root, 'dicom-images-train'), { recursive: true });
  const dataset = await openDataset({ root, resolution: 32 }, silentTerminal);
  assert.equal(dataset.readPixels(5).length, 32 * 32);
  dataset.close();
});

test('a root that is not ingested says how', async () => {
  const opening = openDataset({ root: join(folder.path, 'nothing'), resolution: 32 }, silentTerminal);
  await assert.rejects(opening, /catalogue.*nothing.*Run `npm run ingest data=.*nothing` first/);
});
