import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compareCommand } from '../../src/commands/compare.ts';
import { UserError } from '../../src/core/errors.ts';
import { imageScoresPath } from '../../src/predict/image-scores.ts';
import { predictionsPath } from '../../src/predict/predictor.ts';
import { recordingTerminal } from '../data/fixture-competition.ts';
import { checkInBrowser } from '../pages/browser.ts';
import { checkPage } from '../pages/check-page.ts';
import { makeProject, writeRun } from './fixture.ts';

const project = await makeProject();
const { cwd, ids } = project;
after(() => rm(cwd, { recursive: true }));

// The positives are images 0, 3, 6 and 9; images 2i and 2i + 1 are of one patient.
const allBut = (...wrong: number[]) => ids.filter((_, image) => !wrong.includes(image));
const SCRIPT = '<script>alert(1)</script>';
await writeRun(project, { id: '20260101-a', name: 'good', right: allBut(1), params: { 'loss.name': 'dice' } });
await writeRun(project, { id: '20260102-b', name: 'bad', right: allBut(0, 1, 2, 4), params: { 'loss.name': 'focal' } });
await writeRun(project, {
  id: '20260103-c',
  name: 'bad-2',
  right: allBut(0, 1, 4, 5),
  params: { 'loss.name': 'focal', seed: '2' },
});
await writeRun(project, {
  id: '20260104-d',
  name: SCRIPT,
  right: allBut(0, 1, 2, 3),
  params: { 'loss.name': `${SCRIPT}|x` },
  scores: false,
});
await writeRun(project, { id: '20260105-e', name: 'stopped', right: allBut(3, 5), status: 'KILLED', epochs: 2 });

interface Json {
  sorted_by: string;
  runs: {
    run_id: string;
    metrics: Record<string, number>;
    dice: { mean: number; low: number; high: number };
    status: string;
  }[];
  parameters: Record<string, (string | null)[]>;
  sets: {
    images: number;
    positives: number;
    patients: number;
    baseline: string;
    contenders: {
      label: string;
      run_ids: string[];
      false_alarms: number;
      missed: number;
      difference: Record<string, { mean: number; low: number; high: number; probability: number }> | null;
      spread?: { mean: number; deviation: number; least: number; most: number };
    }[];
    disagreements: { image_id: string; dice: Record<string, number> }[];
  }[];
  page: string;
}

async function compare(words: string[], values: Record<string, string> = {}) {
  const terminal = recordingTerminal();
  const { json } = await compareCommand.run({ words, values, cwd, signal: new AbortController().signal }, terminal);
  return { json: json as unknown as Json, said: terminal.lines.join('\n') };
}

const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} for ${b}`);

test('runs are sorted by their Dice, each with an interval by patient, and the paired difference to the best', async () => {
  const { json, said } = await compare(['good', 'bad']);
  assert.deepEqual(
    json.runs.map(({ run_id }) => run_id),
    ['20260101-a', '20260102-b'],
  );
  near(json.runs[0]!.metrics['val/dice']!, 11 / 12);
  near(json.runs[0]!.dice.mean, 11 / 12);
  assert.ok(json.runs[0]!.dice.low < 11 / 12 && json.runs[0]!.dice.high === 1);
  const [set] = json.sets;
  assert.deepEqual([set!.images, set!.positives, set!.patients, set!.baseline], [12, 4, 6, 'good']);
  const [good, bad] = set!.contenders;
  assert.equal(good!.difference, null);
  // Image 1 is wrong for both; the second misses image 0 and raises alarms on 2 and 4.
  near(bad!.difference!.dice!.mean, -3 / 12);
  near(bad!.difference!.dice_positive!.mean, -1 / 4);
  near(bad!.difference!.dice_empty!.mean, -2 / 8);
  assert.ok(bad!.difference!.dice!.probability < 0.05 && bad!.difference!.dice!.low < -3 / 12);
  assert.deepEqual([bad!.false_alarms, bad!.missed, good!.false_alarms, good!.missed], [3, 1, 1, 0]);
  assert.deepEqual(
    set!.disagreements.map(({ image_id }) => image_id),
    ['image-0', 'image-2', 'image-4'],
  );
  assert.deepEqual(json.parameters['loss.name'], ['dice', 'focal']);
  assert.match(said, /Held against good: .*6 patients \(folds\/x\.csv\)/);
  assert.match(said, /bad +│ all 12 +│ +−0\.2500 │ −0\.\d+ to .* │ worse with/);
});

test('runs that differ in their seed alone stand as one, with their spread', async () => {
  const { json, said } = await compare([], { name: '*', 'loss.name': '*' });
  const [set] = json.sets;
  const group = set!.contenders.find(({ run_ids }) => run_ids.length > 1)!;
  assert.deepEqual(group.run_ids, ['20260102-b', '20260103-c']);
  assert.match(group.label, /^bad \(2 seeds\)$/);
  near(group.spread!.mean, 8 / 12);
  assert.equal(group.spread!.deviation, 0);
  // Images 0, 1 and 4 are wrong with both seeds, 2 and 5 with one of them.
  near(group.difference!.dice_empty!.mean, -2 / 8);
  near(group.false_alarms, 3);
  assert.match(said, /bad \(2 seeds\) │ 1, 2/);
  const alone = await compare(['bad*']);
  assert.deepEqual(
    alone.json.sets[0]!.contenders.map(({ run_ids }) => run_ids.length),
    [1, 1],
    'seeds beside one another',
  );
});

test('what images score is computed from the stored probabilities where it is not kept, and kept', async () => {
  const kept = imageScoresPath(predictionsPath(join(project.runsDir, '20260104-d'), 'swa', 'oof', ['none']));
  await rm(kept, { force: true });
  const { json } = await compare(['20260104-d', 'good']);
  near(json.runs[1]!.dice.mean, 8 / 12);
  const file = JSON.parse(await readFile(kept, 'utf8')) as { ids: string[] };
  assert.deepEqual(file.ids, ids);
});

test('a run that did not end stands with its best epoch', async () => {
  const { json } = await compare(['stopped', 'good']);
  const stopped = json.runs[1]!;
  assert.equal(stopped.status, 'KILLED');
  near(stopped.metrics['val/dice']!, 10 / 12);
  near(stopped.dice.mean, 10 / 12);
});

test('baseline, sort and filters are the user’s', async () => {
  const { json } = await compare(['good', 'bad'], { baseline: 'bad', sort: 'loss' });
  assert.equal(json.sorted_by, 'val/loss');
  assert.equal(json.sets[0]!.baseline, 'bad');
  near(json.sets[0]!.contenders[0]!.difference!.dice!.mean, 3 / 12);
  assert.equal((await compare([], { status: 'KILLED' })).json.runs.length, 1);
  assert.equal((await compare([], { seed: '2.0' })).json.runs.length, 1);
  for (const [words, values, message] of [
    [['godo'], {}, /Expected a run id.*\n {2}20260101-a {2}good/],
    [
      [],
      { 'loss.nam': 'x' },
      /Expected a parameter of the runs for a filter but received "loss.nam"\. Did you mean loss\.name\?/,
    ],
    [[], { 'loss.name': 'bce' }, /Expected runs for compare but received "loss\.name=bce"/],
    [
      ['good'],
      { sort: 'dise' },
      /Expected one of val\/dice, .* for sort but received "val\/dise"\. Did you mean val\/dice\?/,
    ],
    [['good', 'bad'], { baseline: 'stopped' }, /Expected one of the compared runs .* for baseline/],
  ] as const) {
    const refused = (error: unknown) => error instanceof UserError && message.test(error.message);
    await assert.rejects(compare([...words], values), refused);
  }
});

test('the page has pictures, needs nothing from outside, and shows names as text; Markdown and JSON stand beside it', async (t) => {
  const { json } = await compare([], { out: 'reports/all' });
  const page = await readFile(json.page, 'utf8');
  checkPage(page);
  assert.match(page, /alt="image-0 by good"/);
  assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
  assert.match(page, /Validation Dice by epoch/);
  assert.doesNotMatch(page, /<summary>All /);
  const markdown = await readFile(json.page.replace('.html', '.md'), 'utf8');
  assert.ok(markdown.includes('&lt;script>alert(1)&lt;/script>\\|x'));
  const { page: _, markdown: __, data, ...shown } = json as unknown as Record<string, string>;
  assert.deepEqual(JSON.parse(await readFile(data!, 'utf8')), JSON.parse(JSON.stringify(shown)));
  await checkInBrowser(t, page, [SCRIPT, 'Where they disagree']);
});

test('a long list shows its best, and all of it where it is asked for', async () => {
  const { json, said } = await compare([], { limit: '2', out: 'reports/short' });
  const page = await readFile(json.page, 'utf8');
  checkPage(page);
  assert.match(page, /<summary>All 5<\/summary>/);
  assert.match(said, /… and 3 more \(limit=…\)/);
  assert.match(said, /The best 2 are shown, 1 more is not\./);
});
