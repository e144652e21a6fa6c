import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { tryLock } from '../../src/core/lock.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { ingest } from '../../src/data/ingest.ts';
import { ensurePixelCache } from '../../src/data/pixel-cache.ts';
import { normalisationConfig } from '../../src/dicom/normalisation.ts';
import { NORMALISATION_NONE } from '../../src/dicom/normalise.ts';
import { put, temporaryFolder, writeCompetition } from './fixture-competition.ts';

const RESOLUTION = 24;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root = '';
before(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, 'siim');
  const images = Array.from({ length: 12 }, (_, n) => ({ id: `1.2.${10 + n}`, set: 'stage1-train' as const }));
  await writeCompetition(root, images, [['1.2.11', '-1']]);
  // The first of all and one in the middle cannot be used: the pictures after them move up.
  await put(root, 'dicom-images-train/a/a/1.1.dcm', 'no radiograph');
  await put(root, 'dicom-images-train/study-1.2.14/series-1.2.14/1.2.14.dcm', 'no radiograph');
});
beforeEach(() => rm(join(root, 'cache'), { recursive: true, force: true }));
after(() => folder.remove());

/** The cache of an ingest, and the titles of what it did. */
async function ingestAll(normalisation = NORMALISATION_NONE) {
  const titles: string[] = [];
  const terminal = {
    ...silentTerminal,
    progress: (title: string) => {
      titles.push(title);
      return { advance: () => {}, stop: () => {} };
    },
  };
  const { cache } = await ingest({ root, resolution: RESOLUTION, normalisation, workers: 1 }, terminal);
  return { pixels: await readFile(cache), titles };
}

/** The cache of the same files, made without an inspection. */
async function buildAlone(normalisation = NORMALISATION_NONE): Promise<Buffer> {
  const { rows } = await ingest({ root }, silentTerminal);
  const sources = rows.filter(({ quarantined }) => quarantined === '');
  assert.equal(sources.length, rows.length - 2);
  const content = { root, resolution: RESOLUTION, normalisation, sources };
  const pixels = await readFile(await ensurePixelCache({ ...content, verify: 'size' }, silentTerminal));
  await rm(join(root, 'cache'), { recursive: true });
  return pixels;
}

async function leftOver(): Promise<string[]> {
  return (await readdir(join(root, 'cache')).catch(() => [])).filter((name) => name.startsWith('.'));
}

for (const normalisation of [NORMALISATION_NONE, normalisationConfig.parse({ name: 'clahe' })]) {
  test(`${normalisation.name}: ingest decodes each file once, and its cache is the one that is made alone`, async () => {
    const alone = await buildAlone(normalisation);
    const { pixels, titles } = await ingestAll(normalisation);
    assert.deepEqual(pixels, alone);
    assert.deepEqual(titles, ['reading image files']);
    assert.deepEqual(await leftOver(), []);
  });
}

test('with a cache there nothing is shrunk again', async () => {
  const { pixels } = await ingestAll();
  const { pixels: again, titles } = await ingestAll();
  assert.deepEqual(again, pixels);
  assert.deepEqual(titles, ['reading image files']);
  assert.deepEqual(await leftOver(), []);
});

test('what a killed process has shrunk is not trusted', async () => {
  const { pixels } = await ingestAll();
  await rm(join(root, 'cache'), { recursive: true });
  const dead = { pid: 2 ** 30, host: (await import('node:os')).hostname(), born: '1' };
  await put(root, `cache/.${RESOLUTION}-none.shrunk.lock`, JSON.stringify(dead));
  await writeFile(join(root, `cache/.${RESOLUTION}-none.shrunk`), Buffer.alloc(20 * RESOLUTION ** 2, 7));
  assert.deepEqual((await ingestAll()).pixels, pixels);
  assert.deepEqual(await leftOver(), []);
});

test('while another process shrinks, the cache is made after the inspection', async () => {
  const { pixels } = await ingestAll();
  await rm(join(root, 'cache'), { recursive: true });
  const lock = `.${RESOLUTION}-none.shrunk.lock`;
  assert.ok(await tryLock(join(root, 'cache', lock)));
  const { pixels: same, titles } = await ingestAll();
  assert.deepEqual(same, pixels);
  assert.deepEqual(titles, ['reading image files', `pixel cache at ${RESOLUTION}×${RESOLUTION}`]);
  assert.deepEqual(await leftOver(), [lock]);
});

test('what cannot be ingested leaves nothing behind', async () => {
  const strict = { root, resolution: RESOLUTION, strict: true, workers: 1 };
  await assert.rejects(ingest(strict, silentTerminal), /1\.1\.dcm/);
  assert.deepEqual(await leftOver(), []);
});
