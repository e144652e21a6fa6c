import assert from 'node:assert/strict';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { findSources } from '../../src/data/find-images.ts';
import { ingest } from '../../src/data/ingest.ts';
import { summarise } from '../../src/data/ingest-report.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import {
  fixtureDicom,
  fixtureFile,
  fixturePixels,
  put,
  recordingTerminal,
  SIDE,
  temporaryFolder,
} from './fixture-competition.ts';
import { writeZip } from './zip-file.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
});
after(() => folder.remove());

const TRAIN = { id: '1.2.1', set: 'stage1-train' } as const;
const TEST = { id: '1.2.2', set: 'stage1-test' } as const;
const FLAT = { id: 'ID_1', set: 'stage2-test' } as const;
const LABELS = 'ImageId, EncodedPixels\n1.2.1, 0 10\n';

async function download(prefix = ''): Promise<Record<string, string | Uint8Array>> {
  const entries: Record<string, string | Uint8Array> = { [`${prefix}train-rle.csv`]: LABELS };
  for (const image of [TRAIN, TEST, FLAT]) entries[`${prefix}${fixtureFile(image)}`] = await fixtureDicom(image);
  entries[`${prefix}__MACOSX/._1.2.1.dcm`] = 'what macOS leaves';
  return entries;
}

async function filesOf(root: string): Promise<[string, string][]> {
  return (await findSources(root)).images.map(({ set, file }) => [set, file]);
}

test('a zip is read without unpacking, and gives the pixels that its unpacked files give', async () => {
  const zipped = join(folder.path, 'zipped');
  await put(zipped, 'readme.txt', '');
  await writeZip(join(zipped, 'siim.zip'), await download('siim/'));
  const terminal = recordingTerminal();
  const report = await ingest({ root: zipped, resolution: 32 }, terminal);
  assert.deepEqual(
    report.rows.map(({ set, file, labelled, quarantined }) => [set, file, labelled, quarantined]),
    [
      ['stage1-train', `siim.zip!/siim/${fixtureFile(TRAIN)}`, true, ''],
      ['stage1-test', `siim.zip!/siim/${fixtureFile(TEST)}`, false, ''],
      ['stage2-test', `siim.zip!/siim/${fixtureFile(FLAT)}`, false, ''],
    ],
  );
  // The label file is where everything else looks for it, and said so.
  assert.equal(await readFile(join(zipped, 'train-rle.csv'), 'utf8'), LABELS);
  assert.match(terminal.lines.join('\n'), /train-rle\.csv taken from siim\.zip!\/siim\/train-rle\.csv/);
  const plain = join(folder.path, 'plain');
  for (const [file, bytes] of Object.entries(await download())) await put(plain, file, bytes);
  const unpacked = await ingest({ root: plain, resolution: 32 }, silentTerminal);
  assert.deepEqual(await readFile(report.cache), await readFile(unpacked.cache));
  const dataset = await openDataset({ root: zipped, resolution: 64 }, silentTerminal);
  assert.equal(dataset.readPixels(2).length, 64 * 64);
  dataset.close();
});

test('an archive is read however its ending is written; one in another is said not to be', async () => {
  const root = join(folder.path, 'capitals');
  await put(root, 'readme.txt', '');
  await writeZip(join(root, 'SIIM.ZIP'), await download());
  const report = await ingest({ root, resolution: 32 }, silentTerminal);
  assert.deepEqual(
    report.rows.map(({ file, quarantined }) => [file, quarantined]),
    [TRAIN, TEST, FLAT].map((image) => [`SIIM.ZIP!/${fixtureFile(image)}`, '']),
  );
  const nested = join(folder.path, 'nested');
  await put(nested, 'readme.txt', '');
  await writeZip(join(nested, 'outer.zip'), { 'inner.zip': await readFile(join(root, 'SIIM.ZIP')) }, { stored: true });
  await assert.rejects(ingest({ root: nested }, silentTerminal), /in zip archives \(but not in those inside others\)/);
});

test('what is unpacked beside its archive is read once', async () => {
  const root = join(folder.path, 'both');
  await put(root, fixtureFile(TRAIN), await fixtureDicom(TRAIN));
  await put(root, 'train-rle.csv', '1.2.1,-1\n');
  await writeZip(join(root, 'siim.zip'), await download(), { stored: true });
  const report = await ingest({ root }, silentTerminal);
  assert.deepEqual([report.unpacked, summarise(report).quarantined], [1, 0]);
  assert.deepEqual(await filesOf(root), [
    ['stage1-train', fixtureFile(TRAIN)],
    ['stage1-test', `siim.zip!/${fixtureFile(TEST)}`],
    ['stage2-test', `siim.zip!/${fixtureFile(FLAT)}`],
  ]);
  assert.equal(await readFile(join(root, 'train-rle.csv'), 'utf8'), '1.2.1,-1\n', 'its own table stays');
});

test('mirrors: a folder deeper, folders of other names, folders linked in', async () => {
  const root = join(folder.path, 'mirror');
  const elsewhere = join(folder.path, 'elsewhere');
  await put(root, `siim/${fixtureFile(TRAIN)}`, await fixtureDicom(TRAIN));
  await put(root, 'siim/train-rle.csv', LABELS);
  await put(root, 'test_png_and_dicom/a/b/1.2.9.dcm', await fixtureDicom({ id: '1.2.9' }));
  await put(root, 'more/ID_7.dcm', await fixtureDicom({ id: 'ID_7' }));
  await put(root, 'cache/1.2.8.dcm', 'ours');
  await put(elsewhere, '1.2.5.dcm', await fixtureDicom({ id: '1.2.5' }));
  await symlink(elsewhere, join(root, 'dicom-images-test'));
  assert.deepEqual(await filesOf(root), [
    ['stage1-train', `siim/${fixtureFile(TRAIN)}`],
    ['stage1-test', 'dicom-images-test/1.2.5.dcm'],
    ['stage1-test', 'test_png_and_dicom/a/b/1.2.9.dcm'],
    ['stage2-test', 'more/ID_7.dcm'],
  ]);
  const report = await ingest({ root }, silentTerminal);
  assert.equal(report.rows[0]!.positive, true);
});

test('a broken archive and broken files in a whole one are set aside with their reasons', async () => {
  const root = join(folder.path, 'broken');
  await put(root, fixtureFile(TRAIN), await fixtureDicom(TRAIN));
  await put(root, 'train-rle.csv', LABELS);
  const path = join(root, 'whole.zip');
  await writeZip(path, { [fixtureFile(TEST)]: await fixtureDicom(TEST) }, { stored: true });
  const whole = await readFile(path);
  await writeFile(path, whole.with(400, whole[400]! ^ 1));
  await writeFile(join(root, 'cut.zip'), whole.subarray(0, whole.length / 2));
  const report = await ingest({ root }, silentTerminal);
  const reasons = report.rows.map(({ file, quarantined }) => `${file} ${quarantined}`);
  const cut = reasons.find((line) => line.startsWith('cut.zip'))!;
  assert.match(cut, /^cut\.zip cut\.zip: this zip archive cannot be read: [^.]*\. [^.]*[^.]\. Download it again\.$/);
  assert.match(reasons.find((line) => line.startsWith('whole.zip'))!, /cannot be unpacked: its CRC-32 is another/);
  assert.equal(summarise(report).images, 1);
  // A catalogue with a broken archive in it opens like any other.
  (await openDataset({ root, resolution: 32 }, silentTerminal)).close();
  await assert.rejects(ingest({ root, strict: true }, silentTerminal), UserError);
});

test('an archive that promises more than deflate can hold is refused before memory is taken', async () => {
  const root = join(folder.path, 'bomb');
  const path = join(root, 'bomb.zip');
  await put(root, fixtureFile(TRAIN), await fixtureDicom(TRAIN));
  await writeZip(path, { [fixtureFile(TEST)]: await fixtureDicom(TEST) });
  const bytes = await readFile(path);
  const central = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  bytes.writeUInt32LE(200 * 2 ** 20, central + 24);
  await writeFile(path, bytes);
  const report = await ingest({ root }, silentTerminal);
  assert.match(report.rows[1]!.quarantined, /at most 1032 bytes of each packed one.*209715200/);
});

const PICTURE = { width: SIDE, height: SIDE, channels: 1 as const };

/** A mask that is 1 in its left half's upper quarter: 512 × 256 pixels at 1024². */
async function maskPng(white: number, side = 16): Promise<Uint8Array> {
  const data = new Uint8Array(side * side);
  for (let y = 0; y < side / 4; y++) data.fill(white, y * side, y * side + side / 2);
  return await sharp(data, { raw: { width: side, height: side, channels: 1 } })
    .png()
    .toBuffer();
}

async function picture(id: string): Promise<Uint8Array> {
  return await sharp(fixturePixels(id), { raw: PICTURE }).toColourspace('b-w').png().toBuffer();
}

async function pngSet(name: string): Promise<string> {
  const root = join(folder.path, name);
  for (const id of ['a', 'b', 'c', 'd']) await put(root, `train/${id}.png`, await picture(id));
  await put(root, 'test/e.png', await picture('e'));
  await put(root, 'masks/a.png', await maskPng(255));
  await put(root, 'masks/b.png', await maskPng(1, 64));
  await put(root, 'masks/c.png', await maskPng(0));
  return root;
}

test('pictures with masks/ beside: masks become labels, an image without one is unlabelled', async () => {
  const root = await pngSet('pictures');
  const report = await ingest({ root, resolution: 64 }, silentTerminal);
  assert.deepEqual(
    report.rows.map(({ imageId, set, labelled, maskArea, transferSyntax }) => [
      imageId,
      set,
      labelled,
      maskArea,
      transferSyntax,
    ]),
    [
      ['a', 'stage1-train', true, 512 * 256, 'png'],
      ['b', 'stage1-train', true, 512 * 256, 'png'],
      ['c', 'stage1-train', true, 0, 'png'],
      ['d', 'stage1-train', false, 0, 'png'],
      ['e', 'stage1-test', false, 0, 'png'],
    ],
  );
  const dataset = await openDataset({ root, resolution: SIDE }, silentTerminal);
  assert.deepEqual(dataset.readPixels(0), fixturePixels('a'));
  // Column-major: the first column's upper quarter.
  assert.deepEqual([...dataset.images[0]!.truth!.slice(0, 2)], [0, 256]);
  dataset.close();
});

test('an image whose mask cannot be read is set aside, not taken as unlabelled; labels of a CSV go before masks', async () => {
  const root = await pngSet('damaged-mask');
  await put(root, 'masks/a.png', 'no picture');
  const report = await ingest({ root }, silentTerminal);
  assert.match(report.rows[0]!.quarantined, /its mask: masks\/a\.png: damaged picture/);
  await put(root, 'train-rle.csv', 'a,-1\nd,0 5\n');
  const terminal = recordingTerminal();
  const { rows } = await ingest({ root }, terminal);
  assert.deepEqual(
    rows.map(({ labelled }) => labelled),
    [true, false, false, true, false],
  );
  assert.match(terminal.lines.join('\n'), /3 mask pictures are not read: .*train-rle\.csv has the labels/);
});

test('pictures with a label file beside, where nothing is DICOM; odd pictures are noted or set aside', async () => {
  const root = join(folder.path, 'no-masks');
  const rgb = { create: { width: 40, height: 20, channels: 4 as const, background: '#804020' } };
  await put(root, 'train_png/a.png', await sharp(rgb).png().toBuffer());
  const deep = Uint16Array.from({ length: 100 }, (_, i) => 300 * i);
  const raw = { width: 10, height: 10, channels: 1 as const };
  await put(root, 'train_png/b.png', await sharp(deep, { raw }).toColourspace('grey16').png().toBuffer());
  await put(root, 'train_png/c.png', (await picture('c')).subarray(0, 200));
  await put(root, 'train-rle.csv', 'a,-1\nb,-1\nc,-1\n');
  const { rows } = await ingest({ root }, silentTerminal);
  assert.match(rows[0]!.notes, /40×20 pixels.*a png of 4 channels, made grey/);
  assert.match(rows[1]!.notes, /16-bit values 0 to 29700 \(their own range\) stretched to 8 bit/);
  assert.match(rows[2]!.quarantined, /train_png\/c\.png: damaged picture/);
  await rm(join(root, 'train-rle.csv'));
  await assert.rejects(ingest({ root }, silentTerminal), /No \.dcm file in .*masks\/ beside/);
});

test('PNG files for looking have the pixels of the images', async () => {
  const root = await pngSet('export');
  const { png } = await ingest({ root, png: true, resolution: SIDE }, silentTerminal);
  const written = await sharp(join(png, 'e.png')).toColourspace('b-w').raw().toBuffer();
  assert.deepEqual(new Uint8Array(written), fixturePixels('e'));
  // They lie where the next ingest does not look for images.
  assert.equal((await findSources(root)).images.length, 5);
});

test('a folder that refuses to be read is named', async () => {
  // A name too long for any disk: rights would not stop a test that runs as root.
  await assert.rejects(findSources(join(folder.path, 'x'.repeat(300))), (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, /a folder that can be read for .*xxx but received "ENAMETOOLONG/);
    return true;
  });
});

test('a zip as the data root says where to point instead', async () => {
  const root = join(folder.path, 'alone.zip');
  await writeZip(root, { 'a.txt': 'a' });
  await assert.rejects(ingest({ root }, silentTerminal), /a folder for the data root.*folder that the archive lies in/);
});
