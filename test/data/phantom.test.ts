import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import dicomParser, { type DataSet } from 'dicom-parser';
import sharp from 'sharp';
import { sha256File } from '../../src/core/atomic-file.ts';
import { UserError } from '../../src/core/errors.ts';
import { areaOfRuns, parseRle, uniteRuns } from '../../src/core/rle.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { type PhantomSummary, writePhantom } from '../../src/data/phantom/index.ts';

const [IMAGES, SEED] = [12, 7];
/** Stage 1 to train on: 12 and 2 unlabelled; its test: 4 and 1; stage 2: 4. */
const FILES = { 'dicom-images-train': 12 + 2, 'dicom-images-test': 4 + 1, stage_2_images: 4 };

let folder = '';
let root = '';
let summary: PhantomSummary;
const files: Record<string, string[]> = {};
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phantom-'));
  root = join(folder, 'phantom');
  summary = await writePhantom({ root, images: IMAGES, seed: SEED, workers: 2 }, silentTerminal);
  for (const set of Object.keys(FILES)) files[set] = (await listFiles(join(root, set))).map((file) => join(set, file));
});
after(() => rm(folder, { recursive: true, force: true }));

async function listFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const below = (parent: string) => (parent === path ? '' : `${parent.slice(path.length + 1)}/`);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${below(entry.parentPath)}${entry.name}`)
    .sort();
}

const text = (name: string) => readFile(join(root, name), 'utf8');
const idsOf = (set: string) => files[set]!.map((file) => file.replace(/^.*\//, '').replace('.dcm', ''));

async function readAll(set: string): Promise<{ file: string; bytes: Buffer; data: DataSet }[]> {
  const read = files[set]!.map(async (file) => {
    const bytes = await readFile(join(root, file));
    return { file, bytes, data: dicomParser.parseDicom(bytes) };
  });
  return await Promise.all(read);
}

/** Codes by id, without the header. */
async function rowsOf(name: string): Promise<Map<string, string[]>> {
  const rows = new Map<string, string[]>();
  for (const line of (await text(name)).trimEnd().split('\n').slice(1)) {
    const [id, code] = line.split(/, ?/) as [string, string];
    rows.set(id, [...(rows.get(id) ?? []), code]);
  }
  return rows;
}

test('the folders are the competition’s', () => {
  for (const [set, count] of Object.entries(FILES)) assert.equal(files[set]!.length, count, set);
  for (const file of [...files['dicom-images-train']!, ...files['dicom-images-test']!]) {
    assert.match(file, /^dicom-images-(train|test)\/2\.25\.\d{1,39}\/2\.25\.\d{1,39}\/2\.25\.\d{1,39}\.dcm$/);
  }
  for (const file of files.stage_2_images!) assert.match(file, /^stage_2_images\/ID_[0-9a-f]{9}\.dcm$/);
  const [trainImages, testImages, stage2Images] = Object.values(FILES);
  assert.deepEqual({ ...summary, positives: 0 }, { trainImages, testImages, stage2Images, positives: 0 });
});

test('the same seed gives the same bytes whatever the number of threads; another seed gives others', async () => {
  const again = join(folder, 'again');
  await writePhantom({ root: again, images: IMAGES, seed: SEED, workers: 1 }, silentTerminal);
  const names = await listFiles(root);
  assert.deepEqual(await listFiles(again), names);
  for (const name of names) assert.equal(await sha256File(join(again, name)), await sha256File(join(root, name)), name);
  const other = join(folder, 'other');
  await writePhantom({ root: other, images: 4, seed: SEED + 1, workers: 1 }, silentTerminal);
  const known = new Set(names);
  assert.ok((await listFiles(join(other, 'stage_2_images'))).every((file) => !known.has(`stage_2_images/${file}`)));
});

test('every table is in its own dialect', async () => {
  const train = await text('train-rle.csv');
  assert.match(train, /^ImageId, EncodedPixels\n(2\.25\.\d+, (-1|[\d ]+)\n)+$/);
  assert.match(await text('stage_2_train.csv'), /^ImageId,EncodedPixels\n(2\.25\.\d+,(-1|\d[\d ]+)\n)+$/);
  assert.match(await text('stage_2_sample_submission.csv'), /^ImageId,EncodedPixels\n(ID_[0-9a-f]{9},-1\n)+$/);
  assert.match(await text('phantom_stage_2_truth.csv'), /^ImageId,EncodedPixels\n(ID_[0-9a-f]{9},(-1|\d[\d ]+)\n)+$/);
  const sample = await readFile(join(root, 'sample_submission.csv'));
  assert.deepEqual([...sample.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  assert.match(sample.subarray(3).toString(), /^(2\.25\.\d+,-1\n)+2\.25\.\d+,-1$/);
});

test('ids join tables and files, and a few images have no row', async () => {
  const train = await rowsOf('train-rle.csv');
  const second = await rowsOf('stage_2_train.csv');
  const trainIds = idsOf('dicom-images-train');
  const testIds = idsOf('dicom-images-test');
  assert.ok([...train.keys()].every((id) => trainIds.includes(id)));
  assert.equal(trainIds.filter((id) => !train.has(id)).length, 2);
  const sampled = (await text('sample_submission.csv')).match(/2\.25\.\d+/g)!;
  assert.equal(sampled.length, 4);
  assert.ok(sampled.every((id) => testIds.includes(id)));
  assert.deepEqual(new Set(second.keys()), new Set([...train.keys(), ...sampled]));
  for (const [id, codes] of train) assert.deepEqual(new Set(second.get(id)), new Set(codes));
  assert.deepEqual(new Set((await rowsOf('phantom_stage_2_truth.csv')).keys()), new Set(idsOf('stage_2_images')));
});

test('every code decodes to a mask of a size that the real set has', async () => {
  const all = [...(await rowsOf('stage_2_train.csv')), ...(await rowsOf('phantom_stage_2_truth.csv'))];
  const positive = all.filter(([, codes]) => codes[0] !== '-1');
  assert.equal(positive.length, summary.positives);
  for (const [id, codes] of positive) {
    const area = areaOfRuns(uniteRuns(codes.map((code) => parseRle(code, id))));
    assert.ok(area >= 55 && area <= 161_421, `${id}: ${area}`);
  }
});

test('every DICOM file is read by dicom-parser and its JPEG by sharp', async () => {
  const all = (await Promise.all(Object.keys(FILES).map(readAll))).flat();
  for (const { file, bytes, data } of all) {
    assert.equal(data.string('x00020010'), '1.2.840.10008.1.2.4.50', file);
    assert.equal(data.string('x00080018'), file.replace(/^.*\//, '').replace('.dcm', ''));
    assert.deepEqual(
      ['x00280010', 'x00280011', 'x00280100', 'x00280101', 'x00280102', 'x00280103'].map((tag) => data.uint16(tag)),
      [1024, 1024, 8, 8, 7, 0],
    );
    assert.equal(data.string('x00280004'), 'MONOCHROME2');
    assert.match(data.string('x00185101')!, /^(PA|AP)$/);
    assert.match(data.string('x00100040')!, /^[FM]$/);
    assert.match(data.string('x00101010')!, /^\d{1,2}$/);
    const absent = ['x00281050', 'x00281051', 'x00281052', 'x00281053'].filter((tag) => tag in data.elements);
    assert.deepEqual(absent, []);
    const pixels = data.elements.x7fe00010!;
    assert.equal(pixels.basicOffsetTable!.length, 0);
    assert.equal(pixels.fragments!.length, 1);
    const [fragment] = pixels.fragments!;
    const jpeg = bytes.subarray(fragment!.position, fragment!.position + fragment!.length);
    const { width, height, channels } = await sharp(jpeg).metadata();
    assert.deepEqual([width, height, channels], [1024, 1024, 1]);
    const stats = await sharp(jpeg).stats();
    assert.ok(stats.channels[0]!.stdev > 30, 'a picture, not a plain');
  }
});

test('the competition’s quirks are there', async () => {
  const [train, tests, second] = (await Promise.all(Object.keys(FILES).map(readAll))) as [
    Awaited<ReturnType<typeof readAll>>,
    Awaited<ReturnType<typeof readAll>>,
    Awaited<ReturnType<typeof readAll>>,
  ];
  for (const { data } of second) {
    assert.equal(data.elements.x00100020, undefined);
    assert.match(data.string('x00080018')!, /^ID_/);
    assert.match(data.string('x00020003')!, /^2\.25\./);
  }
  const patients = [...train, ...tests].map(({ data }) => data.string('x00100020')!);
  for (const patient of patients) assert.match(patient, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
  assert.ok(new Set(patients).size < patients.length, 'somebody has several images');
  const spacings = [...train, ...tests, ...second].map(({ data }) => data.string('x00280030', 0)!);
  assert.ok(spacings.some((spacing) => spacing.length > 16));
  const all = [...train, ...tests, ...second];
  const pads = all.filter(({ bytes, data }) => bytes[endOf(data) - 1] === 0);
  assert.ok(pads.length > 0, 'some fragments end with a pad byte');
  const tag = Buffer.of(0xfe, 0xff, 0x00, 0xe0);
  const inside = all.filter(({ bytes, data }) => {
    const { position } = data.elements.x7fe00010!.fragments![0]!;
    const found = bytes.indexOf(tag, position);
    return found >= 0 && found < endOf(data);
  });
  assert.equal(inside.length, 2);
});

function endOf(data: DataSet): number {
  const { position, length } = data.elements.x7fe00010!.fragments![0]!;
  return position + length;
}

test('an existing folder is never touched', async () => {
  const taken = join(folder, 'taken');
  await writeFile(taken, 'mine');
  const made = writePhantom({ root: taken, images: 4, seed: 1 }, silentTerminal);
  await assert.rejects(made, (error) => error instanceof UserError && error.message.includes('does not exist yet'));
  assert.equal(await readFile(taken, 'utf8'), 'mine');
  const below = writePhantom({ root: join(taken, 'phantom'), images: 4, seed: 1 }, silentTerminal);
  await assert.rejects(below, (error) => error instanceof UserError && error.message.includes('Cannot write'));
});

test('too few images are refused, and an aborted phantom leaves nothing', async () => {
  const tooFew = writePhantom({ root: join(folder, 'few'), images: 3, seed: 1 }, silentTerminal);
  await assert.rejects(tooFew, UserError);
  const signal = AbortSignal.timeout(300);
  const started = writePhantom({ root: join(folder, 'late'), images: 200, seed: 1, signal }, silentTerminal);
  await assert.rejects(started);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.includes('few') || name.includes('late')),
    [],
  );
});
