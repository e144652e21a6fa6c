import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { readCatalogue } from '../../src/data/catalogue.ts';
import { ingest } from '../../src/data/ingest.ts';
import { summarise } from '../../src/data/ingest-report.ts';
import { fixtureDicom, fixtureFile, put, temporaryFolder, writeCompetition } from './fixture-competition.ts';

const IMAGES = [
  { id: '1.2.1', set: 'stage1-train', patientId: 'anna' },
  { id: '1.2.2', set: 'stage1-train', patientId: 'anna' },
  { id: '1.2.3', set: 'stage1-train', patientId: 'bert' },
  { id: '1.2.4', set: 'stage1-test', patientId: 'cleo' },
  { id: 'ID_1', set: 'stage2-test' },
] as const;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root = '';
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

/** A fresh data root: five images; 1.2.1 has overlapping masks of 10 + 10 - 5 pixels, 1.2.3 has no label. */
async function freshRoot(name: string): Promise<string> {
  root = join(folder.path, name);
  await writeCompetition(root, IMAGES, [
    ['1.2.1', '0 10'],
    ['1.2.2', '-1'],
    ['1.2.1', '5 10'],
    ['9.9.9', '-1'],
  ]);
  return root;
}

test('ingest catalogues every set and joins the labels', async () => {
  const report = await ingest({ root: await freshRoot('whole') }, silentTerminal);
  const rows = await readCatalogue(root);
  assert.deepEqual(rows, report.rows);
  assert.deepEqual(
    rows.map((row) => row.imageId),
    IMAGES.map(({ id }) => id),
  );
  const { sha256, bytes, phash, ...first } = rows[0]!;
  assert.match(phash, /^[0-9a-f]{64}$/);
  assert.match(sha256, /^[0-9a-f]{64}$/);
  assert.ok(bytes > 0);
  assert.deepEqual(first, {
    imageId: '1.2.1',
    set: 'stage1-train',
    file: 'dicom-images-train/study-1.2.1/series-1.2.1/1.2.1.dcm',
    patientId: 'anna',
    sex: 'F',
    age: 38,
    view: 'PA',
    pixelSpacing: '0.14300000667572021\\0.14300000667572021',
    rows: 48,
    columns: 48,
    transferSyntax: '1.2.840.10008.1.2.4.50',
    labelled: true,
    positive: true,
    maskArea: 10 + 10 - 5,
    rleRows: 2,
    notes: '48×48 pixels, not 1024×1024',
    quarantined: '',
  });
  assert.deepEqual(report.withoutImage, ['9.9.9']);
  const summary = summarise(report);
  // The stage-1 and stage-2 test images are expected to have no label; 1.2.3 is not.
  assert.deepEqual(summary.oddlyUnlabelled, ['1.2.3']);
  assert.deepEqual([summary.images, summary.labelled, summary.unlabelled, summary.positives], [5, 2, 3, 1]);
});

test("stage 2's labels cover stage 1's test images", async () => {
  await freshRoot('stage2');
  await put(root, 'stage_2_train.csv', 'ImageId,EncodedPixels\n1.2.4,100 7\n1.2.1,-1\n');
  const report = await ingest({ root, stage: 2 }, silentTerminal);
  const labelled = report.rows.filter((row) => row.labelled).map((row) => [row.imageId, row.maskArea]);
  assert.deepEqual(labelled, [
    ['1.2.1', 0],
    ['1.2.4', 7],
  ]);
  const stage1 = await ingest({ root }, silentTerminal);
  assert.equal(stage1.labelFile?.stage, 1);
});

test('files that cannot be used are set aside with their reason, or stop a strict ingest', async () => {
  await freshRoot('damaged');
  const good = await fixtureDicom(IMAGES[0]);
  await put(root, fixtureFile(IMAGES[0]), good.subarray(0, good.length - 200));
  await put(root, fixtureFile(IMAGES[1]), 'this is a text');
  await put(root, 'dicom-images-train/again/1.2.3.dcm', await fixtureDicom(IMAGES[2]));
  const report = await ingest({ root }, silentTerminal);
  const reasons = Object.fromEntries(report.rows.map((row) => [row.file, row.quarantined]));
  assert.match(reasons[fixtureFile(IMAGES[0])]!, /bytes of pixel data from byte \d+ for dicom-images-train.*cut short/);
  assert.match(reasons[fixtureFile(IMAGES[1])]!, /DICM at byte 128 for dicom-images-train.*not a DICOM file/);
  assert.equal(reasons[fixtureFile(IMAGES[2])], 'another file of this id: dicom-images-train/again/1.2.3.dcm');
  assert.equal(summarise(report).quarantined, 3);
  await rm(join(root, 'catalogue.csv'));
  await assert.rejects(ingest({ root, strict: true }, silentTerminal), UserError);
  assert.ok(!(await readdir(root)).includes('catalogue.csv'));
});

test('labels that contradict each other are noted', async () => {
  await freshRoot('contradiction');
  await put(root, 'train-rle.csv', '1.2.1,-1\n1.2.1,0 10\n');
  const report = await ingest({ root }, silentTerminal);
  assert.match(report.rows[0]!.notes, /both an empty label row and a mask/);
  assert.equal(report.rows[0]!.maskArea, 10);
});

/** Asserts that ingest refuses with this message and writes nothing. */
async function refuses(message: RegExp): Promise<void> {
  const before = await readdir(root).catch(() => []);
  await assert.rejects(ingest({ root, resolution: 32 }, silentTerminal), (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    return true;
  });
  assert.deepEqual(await readdir(root).catch(() => []), before);
}

test('an absent folder, an empty one and one without a usable image are refused', async () => {
  root = join(folder.path, 'absent');
  await refuses(/There is no folder .*absent/);
  await put(root, 'readme.txt', '');
  await refuses(/No \.dcm file in .*dicom-images-train\/, dicom-images-test\/, stage_2_images\//);
  await put(root, 'stage_2_images/ID_1.dcm', '');
  await refuses(/None of 1 image files can be used.*stage_2_images\/ID_1\.dcm/);
});

test('wrong labels and an absent label file that was asked for are refused', async () => {
  await freshRoot('labels');
  await put(root, 'train-rle.csv', '1.2.1,-1\n1.2.2,1 1048576\n');
  await refuses(/train-rle\.csv:2/);
  await put(root, 'train-rle.csv', '1.2.1,-1\n1.2.2,1 2 3\n');
  await refuses(/train-rle\.csv:2.*3 tokens/);
  await assert.rejects(ingest({ root, stage: 2 }, silentTerminal), /stage 2's label file .*stage_2_train\.csv/);
});

test('a disk that refuses is named; a catalogue that was there stays whole', async () => {
  await freshRoot('disk');
  await ingest({ root }, silentTerminal);
  const catalogue = await readFile(join(root, 'catalogue.csv'), 'utf8');
  await writeFile(join(root, 'cache'), 'a file where a folder should be');
  await refuses(/Cannot write .*cache/);
  assert.equal(await readFile(join(root, 'catalogue.csv'), 'utf8'), catalogue);
});

test('an aborted ingest throws the reason and writes nothing', async () => {
  await freshRoot('aborted');
  const stop = new AbortController();
  const running = ingest({ root, signal: stop.signal }, silentTerminal);
  stop.abort(new Error('stopped'));
  await assert.rejects(running, /stopped/);
  assert.ok(!(await readdir(root)).includes('catalogue.csv'));
});
