import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Command } from '../../src/commands/command.ts';
import { foldsCommand } from '../../src/commands/folds.ts';
import { ingestCommand } from '../../src/commands/ingest.ts';
import { UserError } from '../../src/core/errors.ts';
import { readFolds } from '../../src/data/folds.ts';
import { put, recordingTerminal, temporaryFolder, writeCompetition } from '../data/fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
before(async () => {
  folder = await temporaryFolder();
  const ids = Array.from({ length: 12 }, (_, n) => `1.2.${n}`);
  const images = ids.map((id, n) => ({ id, set: 'stage1-train' as const, patientId: `p${Math.floor(n / 2)}` }));
  await writeCompetition(
    join(folder.path, 'siim'),
    [...images, { id: 'ID_1', set: 'stage2-test' }],
    [...ids.slice(0, 11).map((id, n): [string, string] => [id, n % 3 === 0 ? '0 10' : '-1']), ['9.9', '-1']],
  );
});
after(() => folder.remove());

/** Runs a command as the user would in the folder above the data root. */
async function run(command: Command, values: Record<string, string>) {
  const terminal = recordingTerminal();
  const signal = new AbortController().signal;
  const result = await command.run({ words: [], values, cwd: folder.path, signal }, terminal);
  return { ...result, lines: terminal.lines, text: terminal.lines.join('\n') };
}

test('ingest reports what it found and says the next command', async () => {
  const { json, exitCode, lines, text } = await run(ingestCommand, { data: 'siim', resolution: '32' });
  const { cache, ...counts } = json;
  // Positives are images 0, 3, 6 and 9; 1.2.11 and the stage-2 image have no label.
  assert.deepEqual(counts, { images: 13, labelled: 11, unlabelled: 2, positives: 4, quarantined: 0 });
  assert.equal((await readFile(String(cache))).length, 13 * 32 * 32);
  assert.equal(exitCode, 0);
  assert.match(text, /warning: 1 image has no label row .*not taken as negative:\nwarning: {3}1\.2\.11/);
  assert.match(text, /1 labelled image is not there:\nwarning: {3}9\.9/);
  assert.match(text, /stage1-train 12, stage2-test 1/);
  assert.equal(lines.at(-1), 'Next: npm run folds data=siim');
  const page = join(folder.path, 'reports', 'data-siim.html');
  assert.ok(lines.includes(`report       ${page}`));
  assert.match(await readFile(page, 'utf8'), /<h1>siim<\/h1>/);
});

test('ingest writes its report where it is told to, or not at all', async () => {
  const { text } = await run(ingestCommand, { data: 'siim', report: 'elsewhere/x.html' });
  assert.match(text, /report {7}.*elsewhere\/x\.html/);
  const facts = JSON.parse(await readFile(join(folder.path, 'elsewhere', 'x.json'), 'utf8')) as { name: string };
  assert.equal(facts.name, 'siim');
  const { text: without } = await run(ingestCommand, { data: 'siim', report: 'false' });
  assert.doesNotMatch(without, /^report/m);
});

test('folds draws once, keeps patients together and says the next command', async () => {
  const { json, lines, text } = await run(foldsCommand, { data: 'siim', out: 'folds/a.csv', k: '3' });
  const path = join(folder.path, 'folds', 'a.csv');
  assert.deepEqual(json, { path, images: 11, patients: 6, folds: 3 });
  assert.equal((await readFolds(path)).length, 11);
  assert.match(text, /leakage +0 of 6 patients have images in more than one fold/);
  assert.match(lines.at(-1)!, /npm run exp .*data\.root=siim data\.folds=folds\/a\.csv/);
  await assert.rejects(run(foldsCommand, { data: 'siim', out: 'folds/a.csv' }), /a\.csv exists/);
});

test('folds holds out 15 % unless told otherwise, and shows the leakage of ungrouped folds', async () => {
  const { json, text } = await run(foldsCommand, { data: 'siim', group: 'none', holdout: '0.5' });
  assert.equal(json.path, join(folder.path, 'folds', 'stratified-50-50.csv'));
  assert.match(text, /-1 \(always trains\)/);
  const leaking = Number(/leakage +(\d+) of 6/.exec(text)![1]);
  assert.ok(leaking > 0);
  const held = await run(foldsCommand, { data: 'siim' });
  assert.equal(held.json.path, join(folder.path, 'folds', 'stratified-85-15.csv'));
});

test('an ingest with files set aside ends with 3', async () => {
  await writeCompetition(join(folder.path, 'bad'), [{ id: '1.1', set: 'stage1-train' }], [['1.1', '-1']]);
  await put(folder.path, 'bad/dicom-images-train/1.2.dcm', 'no image');
  const { json, exitCode, text } = await run(ingestCommand, { data: 'bad' });
  assert.deepEqual([exitCode, json.images, json.quarantined, json.cache], [3, 1, 1, '']);
  assert.match(text, /1 file cannot be used and is set aside:\nwarning: .*1\.2\.dcm.*not a DICOM file/);
  await assert.rejects(run(ingestCommand, { data: 'bad', strict: 'true' }), UserError);
  const { text: foldsText } = await run(ingestCommand, { data: 'siim' });
  assert.match(foldsText, /quarantined +0/);
});

test('without a label file, ingest says which one is missing instead of listing every image', async () => {
  await writeCompetition(join(folder.path, 'bare'), [{ id: '1.1', set: 'stage1-train' }], []);
  await rm(join(folder.path, 'bare', 'train-rle.csv'), { force: true });
  const { text } = await run(ingestCommand, { data: 'bare', report: 'false' });
  assert.match(text, /labels {7}none, so nothing to train on: put train-rle\.csv or stage_2_train\.csv into .*bare/);
  assert.doesNotMatch(text, /no label row/);
});

test('images without a patient are groups of their own, aloud', async () => {
  const images = ['1', '2', '3'].map((id) => ({ id, set: 'stage1-train' as const }));
  await writeCompetition(join(folder.path, 'anonymous'), images, [
    ['1', '-1'],
    ['2', '0 5'],
    ['3', '-1'],
  ]);
  await run(ingestCommand, { data: 'anonymous' });
  const { json, text } = await run(foldsCommand, { data: 'anonymous', out: 'b.csv', holdout: '0.34' });
  assert.equal(json.patients, 0);
  assert.match(text, /warning: 3 images have no patient id: each is a group of its own/);
});

test('wrong values are refused by key', async () => {
  const bad: [Command, Record<string, string>, RegExp][] = [
    [ingestCommand, {}, /data=<folder>/],
    [ingestCommand, { data: 'siim', resolution: '500' }, /a multiple of 32 up to 1024 for resolution.*500/],
    [ingestCommand, { data: 'siim', resolution: 'NaN' }, /resolution/],
    [ingestCommand, { data: 'siim', stage: '3' }, /1 or 2 for stage.*3/],
    [ingestCommand, { data: 'siim', normalisation: 'clahee' }, /one of none, window, minmax, clahe.*clahee/],
    [
      ingestCommand,
      { data: 'siim', normalisation: '{ name: clahe' },
      /one of none.* for normalisation .*\{ name: clahe/,
    ],
    [ingestCommand, { data: 'siim', normalisation: '{ name: minmax, low: 70, high: 20 }' }, /settings in range/],
    [ingestCommand, { data: 'siim', report: 'x.pdf' }, /ends in \.html, or false for report.*x\.pdf/],
    [ingestCommand, { data: 'siim', strict: 'yes' }, /true or false for strict.*yes/],
    [ingestCommand, { data: 'absent' }, /There is no folder .*absent/],
    [foldsCommand, {}, /data=<folder>/],
    [foldsCommand, { data: 'siim', group: 'study' }, /patient or none for group/],
    [foldsCommand, { data: 'siim', seed: '1.5' }, /a whole number for seed/],
    [foldsCommand, { data: 'siim', k: 'x' }, /a number for k/],
    [foldsCommand, { data: 'siim', out: 'c.csv', holdout: '15' }, /a share between 0 and 1 for holdout.*15/],
    [foldsCommand, { data: 'absent', out: 'c.csv' }, /catalogue.*npm run ingest data=.*absent/],
  ];
  for (const [command, values, message] of bad) {
    await assert.rejects(run(command, values), (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      assert.match(error.message, message);
      return true;
    });
  }
});
