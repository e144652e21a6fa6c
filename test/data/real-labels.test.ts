import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { areaOfRuns, formatRle, maskToRuns, parseRle, runsToMask } from '../../src/core/rle.ts';
import { type Labels, readLabels } from '../../src/data/labels.ts';
import { temporaryFolder } from './fixture-competition.ts';
import { readRealLabelFile } from './real-label-file.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let labels: Labels;

before(async () => {
  folder = await temporaryFolder();
  const path = join(folder.path, 'train-rle.csv');
  await writeFile(path, await readRealLabelFile());
  labels = await readLabels(path);
});
after(() => folder.remove());

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
