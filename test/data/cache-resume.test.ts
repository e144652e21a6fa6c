import assert from 'node:assert/strict';
import { appendFile, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentTerminal } from '../../src/core/terminal.ts';
import type { CacheContent } from '../../src/data/cache-key.ts';
import { donePath, openProgress, partialPath } from '../../src/data/cache-progress.ts';
import { ingest } from '../../src/data/ingest.ts';
import { ensurePixelCache } from '../../src/data/pixel-cache.ts';
import { normalisationConfig } from '../../src/dicom/normalisation.ts';
import { NORMALISATION_NONE } from '../../src/dicom/normalise.ts';
import { recordingTerminal, temporaryFolder, writeCompetition } from './fixture-competition.ts';

const IMAGES = Array.from({ length: 12 }, (_, n) => ({ id: `1.2.${n}`, set: 'stage1-train' as const }));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let content: CacheContent;
let whole: Buffer;
let path = '';
before(async () => {
  folder = await temporaryFolder();
  const root = join(folder.path, 'siim');
  await writeCompetition(root, IMAGES, [['1.2.1', '-1']]);
  const { rows } = await ingest({ root }, silentTerminal);
  content = { root, resolution: 32, normalisation: NORMALISATION_NONE, sources: rows };
  path = await ensurePixelCache({ ...content, verify: 'size' }, silentTerminal);
  whole = await readFile(path);
});
after(() => folder.remove());

/** Leaves what a process killed after `count` images leaves. */
async function leaveHalf(count: number): Promise<void> {
  const index = JSON.parse(await readFile(`${path}.json`, 'utf8')) as { sha256: string };
  assert.match(index.sha256, /^[0-9a-f]{64}$/);
  const { record, close } = await openProgress(`${path}.other`, IMAGES.length, 32 * 32);
  const { createHash } = await import('node:crypto');
  const file = await open(partialPath(`${path}.other`), 'r+');
  for (let index = 0; index < count; index++) {
    const pixels = whole.subarray(index * 1024, (index + 1) * 1024);
    await file.write(pixels, 0, 1024, index * 1024);
    record({ index, sha256: createHash('sha256').update(pixels).digest('hex') });
  }
  await file.close();
  close();
  await rename(partialPath(`${path}.other`), partialPath(path));
  await rename(donePath(`${path}.other`), donePath(path));
}

async function build() {
  const terminal = recordingTerminal();
  await ensurePixelCache({ ...content, verify: 'sha256' }, terminal);
  assert.deepEqual(await readFile(path), whole);
  assert.deepEqual(
    (await readdir(join(content.root, 'cache'))).filter((name) => name.startsWith('.')),
    [],
  );
  return terminal.lines.join('\n');
}

test('a half-built cache is gone on with, and is that of an undisturbed run', async () => {
  await leaveHalf(7);
  await rm(path);
  await rm(`${path}.json`);
  assert.match(await build(), /7 of 12 images are in the pixel cache already/);
});

test('an image whose pixels are not those of the list is made again; a torn line is none', async () => {
  await leaveHalf(7);
  const file = await open(partialPath(path), 'r+');
  await file.write(Buffer.from([whole[3 * 1024]! ^ 1]), 0, 1, 3 * 1024);
  await file.close();
  await appendFile(donePath(path), '9 0123');
  await rm(path);
  await rm(`${path}.json`);
  assert.match(await build(), /6 of 12 images/);
});

test('killed between the renaming and the index, nothing is made again', async () => {
  await leaveHalf(12);
  await rm(partialPath(path));
  await rm(`${path}.json`);
  const said = await build();
  assert.match(said, /12 of 12 images/);
  assert.doesNotMatch(said, /damaged/);
});

test('killed after the index, the cache is good, and what is left over goes with the next build', async () => {
  await leaveHalf(12);
  await rm(partialPath(path));
  assert.equal(await ensurePixelCache({ ...content, verify: 'sha256' }, silentTerminal), path);
  await rm(`${path}.json`);
  await build();
});

test('another normalisation is another cache; half-built ones of other images go', async () => {
  const clahe = { ...content, normalisation: normalisationConfig.parse({ name: 'clahe' }) };
  const other = await ensurePixelCache({ ...clahe, verify: 'size' }, silentTerminal);
  assert.match(other, /32-clahe-[0-9a-f]{12}\.pixels$/);
  assert.notDeepEqual(await readFile(other), whole);
  const stronger = { ...content, normalisation: normalisationConfig.parse({ name: 'clahe', clip_limit: 4 }) };
  assert.notEqual(await ensurePixelCache({ ...stronger, verify: 'size' }, silentTerminal), other);
  await leaveHalf(5);
  const fewer = { ...content, sources: content.sources.slice(1) };
  await ensurePixelCache({ ...fewer, verify: 'size' }, silentTerminal);
  const left = await readdir(join(content.root, 'cache'));
  assert.deepEqual(
    left.filter((name) => name.startsWith('.')),
    [],
  );
  assert.deepEqual(await readFile(path), whole, 'the old cache is left alone');
});

test('a stopped build is gone on with', async () => {
  await rm(path);
  await rm(`${path}.json`);
  const stop = new AbortController();
  const terminal = recordingTerminal();
  const counting = {
    ...terminal,
    progress: () => ({ advance: () => stop.abort(new Error('stopped')), stop: () => {} }),
  };
  const options = { ...content, verify: 'size' as const, workers: 1, signal: stop.signal };
  await assert.rejects(ensurePixelCache(options, counting), /stopped/);
  assert.match(await build(), /[1-9]\d? of 12 images are in the pixel cache already/);
});
