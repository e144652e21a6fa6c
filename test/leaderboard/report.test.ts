import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { reportCommand } from '../../src/commands/report.ts';
import { writeFileAtomic } from '../../src/core/atomic-file.ts';
import { predictionsPath } from '../../src/predict/predictor.ts';
import { recordingTerminal } from '../data/fixture-competition.ts';
import { checkInBrowser } from '../pages/browser.ts';
import { checkPage } from '../pages/check-page.ts';
import { makeProject, writeRun } from './fixture.ts';

const project = await makeProject();
const { cwd, ids, runsDir } = project;
after(() => rm(cwd, { recursive: true }));
const SCRIPT = '<script>alert(1)</script>';
const right = ids.filter((_, image) => ![0, 1, 2].includes(image));
await writeRun(project, { id: 'run-a', name: 'a', right, params: { notes: SCRIPT } });

async function report(run: string) {
  const terminal = recordingTerminal();
  const { json } = await reportCommand.run(
    { words: [run], values: {}, cwd, signal: new AbortController().signal },
    terminal,
  );
  return { json, page: await readFile(json.page as string, 'utf8'), said: terminal.lines.join('\n') };
}

const thresholds = [0.4, 0.5].map((threshold) => ({
  threshold,
  dice: 0.7,
  dice_positive: null,
  precision: 0.5,
  recall: 0.25,
}));
await writeFileAtomic(join(runsDir, 'run-a', 'curves', 'thresholds.json'), JSON.stringify(thresholds));

test('a run’s page has its figures with intervals, curves, worst images and parameters, and needs nothing from outside', async (t) => {
  const { json, page, said } = await report('a');
  assert.deepEqual(json.confusion, { found: 3, missed: 1, false_alarms: 2, both_empty: 6 });
  const { dice } = json.intervals as Record<string, { mean: number; low: number; high: number }>;
  assert.ok(Math.abs(dice!.mean - 0.75) < 1e-9 && dice!.low < 0.75 && dice!.high > 0.75);
  assert.deepEqual(
    (json.worst as { id: string }[]).map(({ id }) => id),
    ['image-0', 'image-1', 'image-2'],
  );
  assert.match(said, /run-a FINISHED: Dice 0\.7500 \(0\.\d+ to \d\.\d+\)/);
  checkPage(page);
  assert.equal([...page.matchAll(/<img /g)].length, 3);
  assert.match(page, /aria-label="Validation Dice by epoch"/);
  assert.match(page, /aria-label="Dice by threshold"/);
  assert.ok(page.includes('&lt;script&gt;'));
  await checkInBrowser(t, page, [SCRIPT, 'The images that cost most']);
});

test('a run without probabilities has a page all the same, and says so', async () => {
  await writeRun(project, { id: 'run-b', name: 'b', right, scores: false });
  await rm(predictionsPath(join(runsDir, 'run-b'), 'swa', 'oof', ['none']));
  const { json, page } = await report('b');
  assert.equal(json.intervals, null);
  checkPage(page);
  assert.match(page, /nothing is known of single images/);
});
