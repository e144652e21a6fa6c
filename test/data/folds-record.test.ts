import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { readFolds, writeFolds } from '../../src/data/folds.ts';
import { compareLabels, foldsRecordPath, labelsDigest, readFoldsRecord } from '../../src/data/folds-record.ts';
import { put, recordingTerminal, temporaryFolder } from './fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let path: string;
before(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'x.csv');
  await writeFolds(path, rows, { draw: { k: 2, group: 'patient', seed: 9 } });
});
after(() => folder.remove());

const rows = [
  { imageId: 'a', fold: 0, patientId: 'anna' },
  { imageId: 'b', fold: 1, patientId: '' },
];

test('a record tells how the folds were drawn', async () => {
  const record = await readFoldsRecord(path);
  assert.deepEqual(record?.draw, { k: 2, group: 'patient', seed: 9 });
  assert.deepEqual([record.format, record.images], [1, 2]);
  assert.equal(await readFoldsRecord(join(folder.path, 'none.csv')), undefined);
});

test('a changed folds file is refused; without its record it is a file made by hand', async () => {
  const drawn = await readFile(path, 'utf8');
  const swapped = drawn.replace('a,0', 'a,1').replace('b,1', 'b,0');
  for (const text of [swapped, `${drawn}c,1,\n`, drawn.replaceAll('\n', '\r\n')]) {
    await put(folder.path, 'x.csv', text);
    await assert.rejects(readFolds(path), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /x\.csv was changed after it was drawn.*x\.csv\.json/);
      return true;
    });
  }
  await put(folder.path, 'mine.csv', swapped);
  assert.equal((await readFolds(join(folder.path, 'mine.csv'))).length, 2);
  await put(folder.path, 'x.csv', drawn);
  assert.deepEqual(await readFolds(path), rows);
});

test('a damaged record is named', async () => {
  const whole = await readFile(foldsRecordPath(path), 'utf8');
  for (const text of ['{', '{}', whole.replace('"format": 1', '"format": 2')]) {
    await put(folder.path, 'y.csv', await readFile(path, 'utf8'));
    await put(folder.path, 'y.csv.json', text);
    await assert.rejects(readFolds(join(folder.path, 'y.csv')), /the record of a folds file for .*y\.csv\.json/);
  }
  await rm(join(folder.path, 'y.csv.json'));
});

test('the digest of labels knows other labels, whatever the order', () => {
  const truth = new Map([
    ['a', Int32Array.of(5, 9)],
    ['b', new Int32Array()],
  ]);
  const digest = (ids: string[], map = truth) => labelsDigest(ids, (id) => map.get(id));
  assert.equal(digest(['a', 'b']), digest(['b', 'a']));
  assert.notEqual(digest(['a', 'b']), digest(['a', 'b'], new Map([...truth, ['a', Int32Array.of(5, 10)]])));
  assert.notEqual(digest(['b', 'c']), digest(['b', 'c'], new Map([...truth, ['c', new Int32Array()]])));
});

test('other labels than those drawn with are warned of; a missing record is said', async () => {
  const truth = new Map(rows.map(({ imageId }) => [imageId, Int32Array.of(3, 9)]));
  const ids = [...truth.keys()];
  const drawn = join(folder.path, 'z.csv');
  await writeFolds(drawn, rows, { labels: labelsDigest(ids, (id) => truth.get(id)) });
  const compare = async (file: string, map: ReadonlyMap<string, Int32Array>) => {
    const terminal = recordingTerminal();
    const images = [...map].map(([id, labels]) => ({ id, truth: labels }));
    await compareLabels(file, rows, images, terminal);
    return terminal.lines;
  };
  assert.deepEqual(await compare(drawn, truth), []);
  assert.match(
    (await compare(drawn, new Map([...truth, ['b', new Int32Array()]])))[0]!,
    /^warning: The labels.*z\.csv/,
  );
  assert.match((await compare(join(folder.path, 'mine.csv'), truth))[0]!, /^mine\.csv has no record/);
});
