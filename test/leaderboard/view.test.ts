import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { viewCommand } from '../../src/commands/view.ts';
import { UserError } from '../../src/core/errors.ts';
import { formatRle, intersectionArea } from '../../src/core/rle.ts';
import { recordingTerminal } from '../data/fixture-competition.ts';
import { checkInBrowser } from '../pages/browser.ts';
import { checkPage } from '../pages/check-page.ts';
import { makeProject, writeRun } from './fixture.ts';

const project = await makeProject();
const { cwd, ids, truth } = project;
after(() => rm(cwd, { recursive: true }));
// Every third image, from 0 on, has a mask: 0 is missed, 1 and 2 are false alarms.
const right = ids.filter((_, image) => ![0, 1, 2].includes(image));
await writeRun(project, { id: 'run-a', name: 'a', right });

async function view(word: string, values: Record<string, string> = {}) {
  const terminal = recordingTerminal();
  const { json } = await viewCommand.run(
    { words: [word], values, cwd, signal: new AbortController().signal },
    terminal,
  );
  return { json, page: await readFile(json.page as string, 'utf8'), said: terminal.lines.join('\n') };
}

const looksOf = (page: string) => [...page.matchAll(/<div class="look ([a-z-]+)">/g)].map(([, look]) => look);

test('a run’s images are shown by kind of error, worst first, on a page that needs nothing', async (t) => {
  const { json, page } = await view('a');
  assert.deepEqual(json.counts, { 'false-alarm': 2, missed: 1, poor: 0, good: 3, empty: 6 });
  assert.deepEqual(looksOf(page), ['false-alarm', 'false-alarm', 'missed', 'good', 'good', 'good']);
  checkPage(page);
  assert.match(page, /<label for="look-false-alarm">False alarms <small>2<\/small>/);
  assert.match(json.page as string, /reports\/view-run-a\.html$/);
  await checkInBrowser(t, page, ['image-1', 'missed, Dice 0.000']);
});

test('so many of each kind are shown as are asked for', async () => {
  const { page } = await view('run-a', { images: '1', out: 'elsewhere/x.html' });
  assert.deepEqual(looksOf(page), ['false-alarm', 'missed', 'good']);
  assert.match(page, /Of each kind the 1 that cost most/);
  await assert.rejects(view('a', { images: '0' }), /Expected a whole number from 1 for images but received "0"/);
});

test('a submission is shown on the data of its first member, or of a run that is named; broken rows and strangers are left out', async () => {
  const half = truth.get('image-3')!.subarray(0, 4);
  assert.ok(intersectionArea(half, truth.get('image-3')!) > 0);
  const rows = [
    `image-0,${formatRle(truth.get('image-0')!)}`,
    'image-1,5 50',
    'image-2,-1',
    `image-3,${formatRle(half)}`,
    'image-4,1 2 3',
    'stranger,-1',
  ];
  await mkdir(join(cwd, 'submissions'));
  const csv = join(cwd, 'submissions', '20190901-101500-x-stage1.csv');
  await writeFile(csv, `ImageId,EncodedPixels\n${rows.join('\n')}\n`);
  await assert.rejects(view(csv), /Expected a manifest beside it, for the pictures, .* run=<run> names one/);
  const { json, page } = await view('submissions/20190901-101500-x-stage1.csv', { run: 'a' });
  assert.deepEqual(json.counts, { 'false-alarm': 1, missed: 0, poor: 1, good: 1, empty: 1 });
  assert.deepEqual(looksOf(page), ['false-alarm', 'poor', 'good']);
  const manifest = {
    ...{ name: 'x', stage: 1, stamp: '20190901-101500', tta: ['none'], postprocess: {} },
    csv: { file: '20190901-101500-x-stage1.csv', sha256: 'x', rows: 6, positives: 3 },
    members: [{ run_id: 'run-a', checkpoint: 'swa', checkpoint_id: 'swa', checkpoint_sha256: 'y', weight: 1 }],
  };
  await writeFile(csv.replace('.csv', '.manifest.json'), JSON.stringify(manifest));
  for (const word of [csv, '20190901-101500-x-stage1']) {
    assert.deepEqual((await view(word)).json.counts, json.counts);
  }
  await writeFile(join(cwd, 'truth.csv'), 'image-1,5 50\nimage-2,-1\n');
  const other = await view(csv, { truth: 'truth.csv' });
  assert.deepEqual(other.json.counts, { 'false-alarm': 0, missed: 0, poor: 0, good: 1, empty: 1 });
});

test('what is neither a run nor a submission is said, and so is a run without pictures', async () => {
  await assert.rejects(view('nobody'), (error: Error) => error instanceof UserError && /"nobody"/.test(error.message));
  await writeRun(project, { id: 'run-b', name: 'b', right });
  await rm(join(cwd, 'runs/run-b/config.yml'));
  await assert.rejects(view('b'), /Expected pictures for run-b but received/);
  await assert.rejects(view('a', { truth: 'truth.csv' }), /A run has its own labels/);
});
