import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
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

function startBuild(): ChildProcess {
  const script = join(import.meta.dirname, 'build-cache.ts');
  return spawn(process.execPath, ['--import', 'tsx', script, root, String(RESOLUTION)], { stdio: 'ignore' });
}

async function linesOf(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '').length;
}

test('killed five times at random moments, the cache is that of an undisturbed run', async () => {
  const { rows, cache } = await ingest({ root, resolution: RESOLUTION, workers: 2 }, silentTerminal);
  const files = rows.length;
  const undisturbed = await sha256File(cache);
  await rm(join(root, 'cache'), { recursive: true });
  const done = donePath(cachePath({ root, resolution: RESOLUTION, normalisation: NORMALISATION_NONE, sources: rows }));
  const rng = createRng(7, 'kills');
  let seen = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    // Moments are counted in finished images and a few random milliseconds, so that slow machines are killed too.
    const wanted = Math.min(seen + rng.integer(1, 55), files - 10);
    const build = startBuild();
    const ended = once(build, 'exit');
    while ((await linesOf(done)) < wanted && build.exitCode === null) await sleep(5);
    await sleep(rng.integer(0, 15));
    build.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    const now = await linesOf(done);
    assert.ok(now >= wanted && now < files, `${now} of ${files} images at kill ${kill}`);
    seen = now;
  }
  const [code] = await once(startBuild(), 'exit');
  assert.equal(code, 0);
  assert.equal(await sha256File(cache), undisturbed);
});
