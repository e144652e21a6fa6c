import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Command } from '../../src/commands/command.ts';
import { foldsCommand } from '../../src/commands/folds.ts';
import { ingestCommand } from '../../src/commands/ingest.ts';
import { UserError } from '../../src/core/errors.ts';
import { readFolds } from '../../src/data/folds.ts';
import { readFoldsRecord } from '../../src/data/folds-record.ts';
import { put, recordingTerminal, temporaryFolder, writeCompetition } from '../data/fixture-competition.ts';

const PATIENT_PAIRS = 12;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const trainIds = Array.from({ length: 24 }, (_, n) => `1.2.${n}`);
const testIds = Array.from({ length: 6 }, (_, n) => `1.3.${n}`);
before(async () => {
  folder = await temporaryFolder();
  const siim = join(folder.path, 'siim');
  const images = trainIds.map((id, n) => ({ id, set: 'stage1-train' as const, patientId: `p${n % PATIENT_PAIRS}` }));
  // Stage 1's test images: half of them of patients that are trained on.
  const later = testIds.map((id, n) => ({ id, set: 'stage1-test' as const, patientId: n < 3 ? `p${n}` : `q${n}` }));
  const rle = (n: number): string => (n % 3 === 0 ? `0 ${10 + 40 * n}` : '-1');
  await writeCompetition(
    siim,
    [...images, ...later],
    trainIds.map((id, n): [string, string] => [id, rle(n)]),
  );
  const stage2 = [...trainIds, ...testIds].map((id, n) => `${id},${rle(n)}`);
  await put(siim, 'stage_2_train.csv', `${['ImageId,EncodedPixels', ...stage2].join('\n')}\n`);
  const table = trainIds.slice(0, 4).map((id) => `${id},one`);
  await put(folder.path, 'map.csv', `${['image_id,patient_id', ...table, '9.9,two'].join('\n')}\n`);
  await run(ingestCommand, { data: 'siim', resolution: '32' });
});
after(() => folder.remove());

/** Runs a command as the user would in the folder above the data root. */
async function run(command: Command, values: Record<string, string>) {
  const terminal = recordingTerminal();
  const signal = new AbortController().signal;
  const result = await command.run({ words: [], values, cwd: folder.path, signal }, terminal);
  return { ...result, text: terminal.lines.join('\n') };
}

const foldsOf = async (file: string) => await readFolds(join(folder.path, file));

test('the same words draw the same bytes; the record has the words, the labels and what leaks', async () => {
  await run(foldsCommand, { data: 'siim', out: 'a.csv', group: 'none', seed: '7' });
  await run(foldsCommand, { data: 'siim', out: 'b.csv', group: 'none', seed: '7' });
  const [a, b] = await Promise.all(['a.csv', 'b.csv'].map((file) => readFile(join(folder.path, file), 'utf8')));
  assert.equal(a, b);
  const record = await readFoldsRecord(join(folder.path, 'a.csv'));
  assert.deepEqual(record?.draw, { holdout: 0.15, group: 'none', seed: 7 });
  assert.match(record.labels ?? '', /^[0-9a-f]{64}$/);
  assert.ok(record.leakage!.patients > 0);
  assert.equal(record.leakage!.images, 2 * record.leakage!.patients);
});

test('nearly equal pictures in different folds are counted and named', async () => {
  // The fixture's pictures are one slope of grey, at different heights: each the others' near-duplicate.
  const { text } = await run(foldsCommand, { data: 'siim', out: 'k.csv', k: '4', group: 'none' });
  const rows = await foldsOf('k.csv');
  const parted = rows.flatMap((one, i) => rows.slice(i + 1).filter((other) => other.fold !== one.fold));
  const duplicates = (await readFoldsRecord(join(folder.path, 'k.csv')))?.leakage?.duplicates;
  assert.equal(duplicates?.length, parted.length);
  assert.match(text, new RegExp(`${parted.length} pairs of nearly equal pictures are in different folds`));
});

test('a table of patients counts before the tags, and reaches their other images', async () => {
  const { json, text } = await run(foldsCommand, { data: 'siim', out: 'table.csv', k: '3', patients: 'map.csv' });
  // p0 to p3 are one patient by the table: eight images of 24, four of them by the tag alone.
  assert.equal(json.patients, PATIENT_PAIRS - 3);
  assert.match(text, /4 images by map\.csv, 4 by the tag that they share with these, 16 by their own tag, 0 unknown/);
  assert.match(text, /map\.csv also names 1 images/);
  const rows = await foldsOf('table.csv');
  assert.equal(new Set(rows.filter(({ patientId }) => patientId === 'one').map(({ fold }) => fold)).size, 1);
  assert.equal((await readFoldsRecord(join(folder.path, 'table.csv')))?.patients?.file, 'map.csv');
});

test('stage 2 brings images into folds that stay as they are', async () => {
  const before = await foldsOf('table.csv');
  const words = { data: 'siim', stage: '2', extend: 'table.csv', patients: 'map.csv', out: 'table-2.csv' };
  const { json, text } = await run(foldsCommand, words);
  assert.deepEqual([json.images, json.folds], [30, 3]);
  const rows = await foldsOf('table-2.csv');
  assert.deepEqual(rows.slice(0, before.length), before);
  assert.match(text, /leakage +0 of /);
  const foldOf = new Map(rows.map((row) => [row.imageId, row.fold]));
  for (const n of [0, 1, 2]) assert.equal(foldOf.get(`1.3.${n}`), foldOf.get(`1.2.${n}`));
  const record = await readFoldsRecord(join(folder.path, 'table-2.csv'));
  assert.deepEqual([record?.extends?.file, record?.draw], ['table.csv', { group: 'patient', seed: 42 }]);
});

const REFUSED: [values: Record<string, string>, message: RegExp][] = [
  [{ extend: 'table.csv', out: 'x.csv' }, /labelled images that have no fold yet for extend/],
  [{ extend: 'table.csv', stage: '2', out: 'x.csv' }, /the patient "one".*patients=/],
  [{ extend: 'table.csv', stage: '2' }, /Name the file to write: `out=/],
  [{ extend: 'table.csv', k: '5', out: 'x.csv' }, /no k beside extend/],
  [{ extend: 'table.csv', out: 'table.csv' }, /table\.csv exists/],
  [{ extend: 'none.csv', out: 'x.csv' }, /a folds file for .*none\.csv/],
  [{ patients: 'none.csv', out: 'x.csv' }, /a CSV of images and patients for .*none\.csv/],
  [{ patients: 'siim/train-rle.csv', out: 'x.csv' }, /a column patient_id/],
];
for (const [values, message] of REFUSED) {
  test(`folds refuses ${JSON.stringify(values)}`, async () => {
    await assert.rejects(run(foldsCommand, { data: 'siim', ...values }), (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      assert.match(error.message, message);
      return true;
    });
  });
}
