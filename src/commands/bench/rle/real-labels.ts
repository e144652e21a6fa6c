import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { writeFileAtomic } from '../../../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../../../core/errors.ts';
import { openArchive } from '../../../data/archive.ts';

// The competition's complete real label file ships in this package (Apache-2.0); it is never committed here.
const PACKAGE = 'torchxrayvision==1.5.7';
const FILE = 'siim-pneumothorax-train-rle.csv.gz';

/**
 * The path of the competition's real label file in the cache folder, brought by pip the first time.
 * Throws UserError where pip cannot bring it.
 */
export async function ensureRealLabels(python: string, cacheDir: string, signal: AbortSignal): Promise<string> {
  const folder = join(cacheDir, 'real-labels', PACKAGE);
  const path = join(folder, 'train-rle.csv');
  const names = await readdir(folder).catch((): string[] => []);
  if (names.includes('train-rle.csv')) return path;
  const packed = names.includes(FILE) ? await readFile(join(folder, FILE)) : await download(python, signal);
  await writeFileAtomic(path, gunzipSync(packed));
  return path;
}

async function download(python: string, signal: AbortSignal): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'real-labels-'));
  try {
    const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet', '--dest', folder];
    await execa(python, ['-m', 'pip', 'download', ...options, PACKAGE], { cancelSignal: signal }).catch((error) => {
      throw new UserError(`Expected pip to bring ${PACKAGE} but it failed: ${messageOf(error)}`, { cause: error });
    });
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new UserError(expected('a wheel', PACKAGE, 'none'));
    const archive = await openArchive(join(folder, wheel));
    try {
      const inside = [...archive.sizes.keys()].find((name) => name.endsWith(FILE));
      if (inside === undefined) throw new UserError(expected(FILE, wheel, 'no such file'));
      return await archive.read(inside);
    } finally {
      archive.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
