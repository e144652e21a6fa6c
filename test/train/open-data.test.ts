import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseExperiment } from '../../src/config/experiment.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { ingest } from '../../src/data/ingest.ts';
import { openData } from '../../src/train/open-data.ts';
import { put, recordingTerminal, temporaryFolder, writeCompetition } from '../data/fixture-competition.ts';

const EXPERIMENT = `name: small
data: { root: own, folds: folds.csv, fold: 0 }
resolution: 32
model: { encoder: efficientnet-b0, decoder: unet }
loss: { name: bce }
optimizer: { name: adam }
lr_schedule: { name: cosine, lr: 1.0e-3 }
batch_size: 2
epochs: 1
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
  const train = ['1', '2', '3'].map((id) => ({ id, set: 'stage1-train' as const }));
  const own = [...train, { id: 'ID_1', set: 'stage2-test' as const }];
  await writeCompetition(join(folder.path, 'own'), own, [
    ['1', '0 10'],
    ['2', '-1'],
    ['3', '-1'],
  ]);
  // An extra set that has the validation image too, under its own id.
  const other = ['1', '7', '8'].map((id) => ({ id, set: 'stage1-train' as const }));
  await writeCompetition(join(folder.path, 'other'), other, [
    ['1', '-1'],
    ['7', '0 5'],
    ['8', '-1'],
  ]);
  for (const name of ['own', 'other']) await ingest({ root: join(folder.path, name) }, silentTerminal);
  await put(folder.path, 'folds.csv', 'image_id,fold,patient_id\n1,0,\n2,1,\n3,1,\n');
  await put(folder.path, 'pseudo.csv', 'ImageId,EncodedPixels\n1,0 99\nID_1,0 7\n');
  await put(folder.path, 'x.yml', EXPERIMENT);
});
after(() => folder.remove());

async function open(extra: string) {
  const experiment = await parseExperiment('x.yml', { 'data.extra': extra }, folder.path);
  const signal = new AbortController().signal;
  const { dataset, split } = await openData(experiment, { cwd: folder.path, signal }, recordingTerminal());
  const ids = (indices: readonly number[]) => indices.map((index) => dataset.images[index]!.id);
  const opened = { train: ids(split.train), validation: ids(split.validation), dataset, split };
  dataset.close();
  return opened;
}

test('extra images are trained on and never validated on', async () => {
  const without = await open('[]');
  assert.deepEqual([without.train, without.validation], [['2', '3'], ['1']]);
  const { train, validation, split, dataset } = await open(
    '[{ root: other }, { root: own, labels: pseudo.csv, weight: 2 }]',
  );
  assert.deepEqual(validation, ['1']);
  assert.deepEqual(train, ['2', '3', '7', '8', 'ID_1']);
  assert.deepEqual(
    split.train.map((index) => dataset.images[index]!.weight),
    [undefined, undefined, 1, 1, 2],
  );
  assert.deepEqual(
    [...dataset.images[split.validation[0]!]!.truth!],
    [0, 10],
    'its truth is its own, not the pseudo-label',
  );
});

test('extra sets are checked before anything is touched', async () => {
  const refuses = (extra: string, message: RegExp) =>
    assert.rejects(open(extra), (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      assert.match(error.message, message);
      return true;
    });
  await refuses('[{ root: absent }]', /a folder that exists for data\.extra\.0\.root.*absent/);
  await refuses('[{ root: other, labels: absent.csv }]', /a file that exists for data\.extra\.0\.labels/);
  await refuses('[{ root: other, weight: 0 }]', /data\.extra\.0\.weight.*0/);
  await refuses('[{ root: other, folder: x }]', /root, labels, weight.*folder/);
});
