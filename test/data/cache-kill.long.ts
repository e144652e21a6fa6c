import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256File } from '../../src/core/atomic-file.ts';
import { createRng } from '../../src/core/random.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { cachePath } from '../../src/data/cache-key.ts';
import { donePath } from '../../src/data/cache-progress.ts';
import { ingest } from '../../src/data/ingest.ts';
import { writePhantom } from '../../src/data/phantom/index.ts';
import { NORMALISATION_NONE } from '../../src/dicom/normalise.ts';
import { temporaryFolder } from './fixture-competition.ts';

const RESOLUTION = 512;
const KILLS = 5;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root = '';
before(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, 'phantom');
  // About 300 files: those to train and to test on, and a few that have no label.
  await writePhantom({ root, images: 218, seed: 5, signal: new AbortController().signal }, silentTerminal);
});
after(() => folder.remove());

function startBuild(reads: 'once' | 'twice'): ChildProcess {
  const script = join(import.meta.dirname, 'build-cache.ts');
  return spawn(process.execPath, ['--import', 'tsx', script, root, String(RESOLUTION), reads], { stdio: 'ignore' });
}

async function linesOf(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '').length;
}

/** The catalogue, the cache and its checksum when nobody disturbs; the cache is removed then. */
async function buildUndisturbed() {
  const { rows, cache } = await ingest({ root, resolution: RESOLUTION, workers: 2 }, silentTerminal);
  const undisturbed = await sha256File(cache);
  await rm(join(root, 'cache'), { recursive: true });
  return { rows, cache, undisturbed };
}

test('killed five times at random moments, the cache is that of an undisturbed run', async () => {
  const { rows, cache, undisturbed } = await buildUndisturbed();
  const files = rows.length;
  const done = donePath(cachePath({ root, resolution: RESOLUTION, normalisation: NORMALISATION_NONE, sources: rows }));
  const rng = createRng(7, 'kills');
  let seen = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    // Moments are counted in finished images and a few random milliseconds, so that slow machines are killed too.
    const wanted = Math.min(seen + rng.integer(1, 55), files - 10);
    const build = startBuild('twice');
    const ended = once(build, 'exit');
    while ((await linesOf(done)) < wanted && build.exitCode === null) await sleep(5);
    await sleep(rng.integer(0, 15));
    build.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    const now = await linesOf(done);
    assert.ok(now >= wanted && now < files, `${now} of ${files} images at kill ${kill}`);
    seen = now;
  }
  const [code] = await once(startBuild('twice'), 'exit');
  assert.equal(code, 0);
  assert.equal(await sha256File(cache), undisturbed);
});

test('killed while pictures are shrunk as they are inspected, the cache is that of an undisturbed run', async () => {
  const { cache, undisturbed } = await buildUndisturbed();
  const shrunk = join(root, 'cache', `.${RESOLUTION}-none.shrunk`);
  const rng = createRng(8, 'kills');
  for (let kill = 1; kill <= KILLS; kill++) {
    // Blocks are given to the file as pictures are put in it.
    const wanted = rng.integer(1, 200) * (RESOLUTION ** 2 / 512);
    const build = startBuild('once');
    const ended = once(build, 'exit');
    const filled = () =>
      stat(shrunk).then(
        ({ blocks }) => blocks,
        () => 0,
      );
    while ((await filled()) < wanted && build.exitCode === null) await sleep(5);
    build.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
  }
  const [code] = await once(startBuild('once'), 'exit');
  assert.equal(code, 0);
  assert.equal(await sha256File(cache), undisturbed);
  assert.deepEqual((await readdir(join(root, 'cache'))).sort(), [basename(cache), `${basename(cache)}.json`]);
});
