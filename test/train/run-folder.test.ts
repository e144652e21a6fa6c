import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Experiment } from '../../src/config/experiment.ts';
import { UserError } from '../../src/core/errors.ts';
import { lockRun, makeRunFolder } from '../../src/train/run-folder.ts';
import { mountDisk } from './small-disk.ts';

const folder = await mkdtemp(join(tmpdir(), 'run-folder-'));
after(async () => await rm(folder, { recursive: true }));

/** Makes a folder that cannot be written to, or says why not: root may write whatever the mode says, but not on such a disk. */
async function readOnly(runsDir: string): Promise<{ undo(): Promise<void> | void } | string> {
  if (process.getuid?.() !== 0) {
    await mkdir(runsDir);
    await chmod(runsDir, 0o555);
    return { undo: async () => await chmod(runsDir, 0o755) };
  }
  const disk = await mountDisk(runsDir, 2 ** 20);
  if (typeof disk === 'string') return disk;
  disk.readOnly(true);
  return { undo: disk.unmount };
}

test('a folder that cannot be written to is one sentence, before a run begins and when one is taken up', async (t) => {
  const runsDir = join(folder, 'runs');
  const made = await readOnly(runsDir);
  if (typeof made === 'string') return t.skip(made);
  try {
    const images = { validation: [], trainedOn: { images: [], unknown: [] } };
    const refused = (error: unknown) =>
      error instanceof UserError && /^Cannot write .*runs: (EROFS|EACCES): /.test(error.message);
    await assert.rejects(makeRunFolder({ name: 'a' } as Experiment, { runsDir }, images), refused);
    await assert.rejects(lockRun(runsDir), refused);
    assert.deepEqual(await readdir(runsDir), []);
  } finally {
    await made.undo();
  }
});

test('a run is locked by one process until it is released', async () => {
  const release = await lockRun(folder);
  await assert.rejects(lockRun(folder), /Expected a run that nobody trains/);
  await release();
  await (await lockRun(folder))();
});
