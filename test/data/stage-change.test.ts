import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentTerminal } from '../../src/core/terminal.ts';
import { describeDoubledRows } from '../../src/data/doubled-rows.ts';
import { ingest } from '../../src/data/ingest.ts';
import { describeStageChange } from '../../src/data/stage-change.ts';
import { put, temporaryFolder, writeCompetition } from './fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root = '';
before(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, 'siim');
  const train = ['1.1', '1.2', '1.3'].map((id) => ({ id, set: 'stage1-train' as const }));
  const tests = ['2.1', '2.2', '2.3'].map((id) => ({ id, set: 'stage1-test' as const }));
  await writeCompetition(
    root,
    [...train, ...tests],
    [
      ['1.1', '0 10'],
      ['1.2', '-1'],
      ['1.3', '5 5'],
    ],
  );
  await put(root, 'stage_2_train.csv', 'ImageId,EncodedPixels\n1.1,0 10\n1.2,4 4\n2.1,0 9\n2.2,-1\n');
  // The early sample: 2.1, which is positive, twice.
  await put(root, 'sample_submission.csv', '\uFEFF2.1, -1\n2.1, -1\n2.2, -1\n2.3, -1');
});
after(() => folder.remove());

test('stage 2 says what its labels change', async () => {
  const { change } = await ingest({ root, stage: 2 }, silentTerminal);
  assert.deepEqual(change, {
    fromTest: 2,
    fromTestPositive: 1,
    relabelled: ['1.2'],
    lost: ['1.3'],
    labelledBefore: 3,
    labelledNow: 4,
    positivesBefore: 2,
    positivesNow: 3,
  });
  assert.deepEqual(describeStageChange(change!), [
    "2 images of stage 1's test set are training data now, 1 of them positive",
    'labelled 3 → 4, positive 2 → 3',
    '1 images have another mask than in stage 1: 1.2',
    '1 images lost their label: 1.3',
  ]);
  assert.equal((await ingest({ root }, silentTerminal)).change, undefined);
});

test('doubled rows of a sample are flagged, with what the labels say of them', async () => {
  const { doubled } = await ingest({ root, stage: 2 }, silentTerminal);
  assert.deepEqual(doubled, [
    { stage: 1, sample: 'sample_submission.csv', ids: ['2.1'], images: 3, positive: 1, empty: 0 },
  ]);
  assert.match(
    describeDoubledRows(doubled[0]!),
    /1 of its 3 images more than once; .* 1 of them are positive and 0 empty/,
  );
  const first = await ingest({ root }, silentTerminal);
  assert.deepEqual([first.doubled[0]!.positive, first.doubled[0]!.empty], [0, 0]);
  // Unused: the catalogue is that of a sample without doubled rows.
  await put(root, 'sample_submission.csv', '2.1,-1\n2.2,-1\n2.3,-1\n');
  const clean = await ingest({ root }, silentTerminal);
  assert.deepEqual(clean.rows, first.rows);
  assert.deepEqual(clean.doubled, []);
});
