import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { findImages } from '../../src/data/find-images.ts';
import { inspectImages } from '../../src/data/inspect-images.ts';
import { temporaryFolder, writeCompetition } from './fixture-competition.ts';

const IMAGES = ['1.2.1', '1.2.2', 'endless', '1.2.3'].map((id) => ({ id, set: 'stage1-train' as const }));
const SLOW = { worker: new URL('./endless-worker.ts', import.meta.url), seconds: 2 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root = '';
before(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, 'siim');
  await writeCompetition(root, IMAGES, []);
});
after(() => folder.remove());

test('a file that its decoder never comes back from is quarantined, and the others are read', async () => {
  const files = await findImages(root);
  const inspections = await inspectImages(files, { root, strict: false, workers: 1 }, silentTerminal, SLOW);
  for (const [index, { imageId, file }] of files.entries()) {
    const { quarantined, phash } = inspections[index]!;
    if (imageId !== 'endless') {
      assert.deepEqual([quarantined, phash.length], ['', 64], file);
      continue;
    }
    assert.equal(phash, '');
    assert.match(quarantined, /endless\.dcm: its decoder came to no end in 2 s and was stopped/);
  }
});

test('strict, such a file ends it all', async () => {
  const work = inspectImages(await findImages(root), { root, strict: true, workers: 1 }, silentTerminal, SLOW);
  await assert.rejects(work, (error) => error instanceof UserError && /endless\.dcm/.test(error.message));
});
