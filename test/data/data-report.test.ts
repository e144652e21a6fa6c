import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import type { DataFacts } from '../../src/data/data-report/facts.ts';
import { dataReportPath, writeDataReport } from '../../src/data/data-report.ts';
import { type IngestReport, ingest } from '../../src/data/ingest.ts';
import { checkInBrowser } from '../pages/browser.ts';
import { checkPage } from '../pages/check-page.ts';
import { fixtureDicom, put, temporaryFolder, writeCompetition } from './fixture-competition.ts';

const IMAGES = [
  { id: '1.2.1', set: 'stage1-train', patientId: 'anna' },
  { id: '1.2.2', set: 'stage1-train', patientId: 'anna' },
  { id: '1.2.3', set: 'stage1-train', patientId: 'bert' },
  { id: '1.2.4', set: 'stage1-train', patientId: 'anna' },
  { id: '1.2.5', set: 'stage1-test', patientId: 'cleo' },
  { id: 'ID_1', set: 'stage2-test' },
] as const;
/** The 32 upper pixels of the first 32 columns: one cell of the heat map's grid, in its corner. */
const CORNER = `0 32 ${Array.from({ length: 31 }, () => '992 32').join(' ')}`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let report: IngestReport;
before(async () => {
  folder = await temporaryFolder();
  const root = join(folder.path, 'a <b> & "c"');
  await writeCompetition(root, IMAGES, [
    ['1.2.1', CORNER],
    ['1.2.2', '1048000 100'],
    ['1.2.2', '1048050 100'],
    ['1.2.4', '-1'],
    ['9.9.9', '-1'],
  ]);
  await put(root, 'dicom-images-train/bad/<i>.dcm', 'no image');
  report = await ingest({ root, resolution: 64 }, silentTerminal);
});
after(() => folder.remove());

/** Writes the report of an ingest into a folder of its own. */
async function write(of: IngestReport, name: string) {
  const files = await writeDataReport(of, { path: join(folder.path, name, 'r.html') }, silentTerminal);
  const facts = JSON.parse(await readFile(files.json, 'utf8')) as DataFacts;
  return { ...files, facts, page: await readFile(files.html, 'utf8') };
}

test('the facts are those of the catalogue and the labels', async () => {
  const { facts } = await write(report, 'facts');
  const { counts, masks, patients, people, quarantine, labels } = facts;
  assert.equal(facts.name, 'a <b> & "c"');
  assert.deepEqual(counts, {
    files: 7,
    images: 6,
    labelled: 3,
    positive: 2,
    negative: 1,
    unlabelled: 3,
    quarantined: 1,
  });
  assert.deepEqual(
    facts.sets.map(({ set, files }) => [set, files]),
    [
      ['stage1-train', 5],
      ['stage1-test', 1],
      ['stage2-test', 1],
    ],
  );
  assert.deepEqual([labels.withoutImage, labels.unlabelled, labels.rows], [['9.9.9'], ['1.2.3'], 5]);
  assert.deepEqual([masks.areas[0]!.area, masks.areas.at(-1)!.area], [150, 1024]);
  assert.deepEqual(masks.halves, { left: 1, right: 1, both: 0 });
  assert.deepEqual(
    masks.rows.map(({ name, counts }) => [name, ...counts]),
    [
      ['1', 1],
      ['2', 1],
    ],
  );
  // Half of the two positive images fill the first cell; the other's 150 pixels lie at the end of the last but one column.
  assert.equal(masks.positions.values[0], 0.5);
  assert.equal(masks.positions.values.filter((value) => value > 0).length, 6);
  const sum = masks.positions.values.reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum * 2 * 1024 - (1024 + 150)) < 0.5, 'all of the area is in the grid');
  // Anna has a negative beside two positives; each positive has another positive.
  assert.deepEqual(patients.besidePositive, { images: 3, positive: 2 });
  assert.deepEqual(patients.besideNegative, { images: 0, positive: 0 });
  assert.deepEqual([patients.patients, patients.sharing, patients.withoutPatient], [3, 3, 1]);
  assert.deepEqual(people.views, [{ name: 'PA', counts: [2, 1, 3] }]);
  assert.deepEqual(people.ages, [{ from: 35, to: 40, counts: [2, 1, 3] }]);
  assert.equal(people.spacings.length, 1);
  assert.deepEqual(
    quarantine.map(({ file }) => file),
    ['dicom-images-train/bad/<i>.dcm'],
  );
  const pixels = facts.exposure.levels.reduce((total, share) => total + share, 0);
  assert.ok(Math.abs(pixels - 1) < 1e-3);
  assert.equal(facts.exposure.images, 6);
});

test('the page is whole, needs nothing from outside, and names what is odd', async (t) => {
  const { page } = await write(report, 'page');
  checkPage(page);
  assert.match(page, /<h1>a &lt;b&gt; &amp; &quot;c&quot;<\/h1>/);
  assert.match(page, /<code>dicom-images-train\/bad\/&lt;i&gt;\.dcm<\/code>.*not a DICOM file/);
  assert.match(page, /1 image without the label row expected.*1\.2\.3/s);
  assert.match(page, /1 label id without an image.*9\.9\.9/s);
  assert.doesNotMatch(page, new RegExp(folder.path), "no path of this machine's");
  await checkInBrowser(t, page, ['a <b> & "c"', 'dicom-images-train/bad/<i>.dcm']);
});

test('the same data gives the same bytes, and an older report is replaced', async () => {
  const first = await write(report, 'again');
  await writeFile(first.json, 'old');
  const second = await write(report, 'again');
  assert.equal(first.page, second.page);
  assert.deepEqual(first.facts, second.facts);
  assert.deepEqual((await readdir(join(folder.path, 'again'))).sort(), ['r.html', 'r.json']);
});

test('without a pixel cache the files are decoded, to the same numbers', async () => {
  const root = join(folder.path, 'plain');
  await writeCompetition(root, IMAGES, [['1.2.1', '5 1']]);
  const decoded = await write(await ingest({ root }, silentTerminal), 'decoded');
  const cached = await write(await ingest({ root, resolution: 64 }, silentTerminal), 'cached');
  checkPage(decoded.page);
  const levels = ({ facts }: typeof decoded) => facts.exposure.darkest.map(({ mean }) => Math.round(mean));
  assert.deepEqual(levels(decoded), levels(cached));
  assert.deepEqual(decoded.facts.masks.bins, [{ from: 1, to: 2, counts: [1] }], 'the smallest mask is counted');
  assert.equal(decoded.facts.digest, cached.facts.digest);
  assert.notEqual(decoded.facts.digest, (await write(report, 'other')).facts.digest);
});

test('copies of a picture are one group; differing labels and patients are told', async () => {
  const rows = report.rows.filter(({ quarantined }) => quarantined === '');
  const hash = (digit: string) => digit.repeat(64);
  // 1.2.1 (positive, anna) = 1.2.3 (unlabelled, bert) = 1.2.4 (negative, anna); ID_1 = 1.2.5; 1.2.2 stands alone.
  const hashes = new Map([
    ['1.2.1', hash('0')],
    ['1.2.3', `${hash('0').slice(1)}1`],
    ['1.2.4', hash('0')],
    ['1.2.2', hash('a')],
    ['1.2.5', hash('f')],
    ['ID_1', hash('f')],
  ]);
  const copied = rows.map((row) => ({ ...row, phash: hashes.get(row.imageId)! }));
  const { facts, page } = await write({ ...report, rows: copied }, 'copies');
  assert.deepEqual(facts.duplicates, {
    hashed: 6,
    groups: [
      { ids: ['1.2.1', '1.2.3', '1.2.4'], contradicts: true, severalPatients: true },
      { ids: ['1.2.5', 'ID_1'], contradicts: false, severalPatients: false },
    ],
  });
  checkPage(page);
  assert.match(
    page,
    /5 images in 2 groups show nearly the same picture; in 1 group some are positive and some negative/,
  );
});

test('a data set without labels, patients or hashes has a report too', async () => {
  const root = join(folder.path, 'bare');
  await put(root, 'images/x.dcm', await fixtureDicom({ id: 'x' }));
  const bare = await ingest({ root }, silentTerminal);
  const { facts, page } = await write(
    { ...bare, rows: bare.rows.map((row) => ({ ...row, phash: '' })) },
    'bare-report',
  );
  checkPage(page);
  assert.deepEqual([facts.counts.labelled, facts.masks.areas, facts.duplicates.hashed], [0, [], 0]);
  assert.match(page, /There is no label file/);
  assert.match(page, /No file names a patient/);
});

test('a path that is no page is refused before anything is read', async () => {
  const path = join(folder.path, 'report.txt');
  await assert.rejects(writeDataReport(report, { path }, silentTerminal), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /ends in \.html.*report\.txt/);
    return true;
  });
  assert.equal(dataReportPath('/home', '/data/siim'), '/home/reports/data-siim.html');
});

test('an aborted report stops and writes nothing', async () => {
  const path = join(folder.path, 'stopped', 'r.html');
  await assert.rejects(writeDataReport(report, { path, signal: AbortSignal.abort() }, silentTerminal), /abort/i);
  assert.ok(!(await readdir(folder.path)).includes('stopped'));
});
