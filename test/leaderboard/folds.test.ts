import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compareCommand } from '../../src/commands/compare.ts';
import { reportCommand } from '../../src/commands/report.ts';
import { recordingTerminal } from '../data/fixture-competition.ts';
import { checkPage } from '../pages/check-page.ts';
import { makeProject, writeFoldsRun, writeRun } from './fixture.ts';

const project = await makeProject();
const { cwd, ids } = project;
after(() => rm(cwd, { recursive: true }));

const halves = [ids.slice(0, 6), ids.slice(6)];
/** An experiment of two folds that is wrong on some images. */
async function writeExperiment(name: string, wrong: readonly number[]) {
  const right = ids.filter((_, image) => !wrong.includes(image));
  for (const [fold, validates] of halves.entries()) {
    await writeRun(project, { id: `${name}-fold${fold}`, right, validates, params: { 'data.fold': String(fold) } });
  }
  const folds = halves.map((_, fold) => `${name}-fold${fold}`);
  await writeFoldsRun(project, { id: `${name}-folds`, folds, dice: right.length / ids.length });
}
await writeExperiment('good', [1]);
await writeExperiment('bad', [0, 1, 7, 8]);

const signal = new AbortController().signal;

test('runs of all folds are held against one another on all images pooled', async () => {
  const terminal = recordingTerminal();
  const { json } = await compareCommand.run({ words: ['*-folds'], values: {}, cwd, signal }, terminal);
  const { runs, sets, page } = json as unknown as {
    runs: { run_id: string; metrics: Record<string, number>; dice: { mean: number } }[];
    sets: { images: number; contenders: { label: string; difference: { dice: { mean: number } } | null }[] }[];
    page: string;
  };
  assert.deepEqual(
    runs.map(({ run_id }) => run_id),
    ['good-folds', 'bad-folds'],
  );
  assert.ok(Math.abs(runs[1]!.dice.mean - 8 / 12) < 1e-9);
  assert.deepEqual([runs[0]!.metrics['val/dice'], runs[0]!.metrics['cv/dice_std']], [11 / 12, 0.1]);
  assert.deepEqual(
    sets.map(({ images }) => images),
    [12],
  );
  assert.ok(Math.abs(sets[0]!.contenders[1]!.difference!.dice.mean + 3 / 12) < 1e-9);
  assert.match(terminal.lines.join('\n'), /2 folds/);
  const text = await readFile(page, 'utf8');
  checkPage(text);
  assert.equal([...text.matchAll(/<img /g)].length, 2 * 3, 'each image by the fold that did not see it');
});

test('single folds are held against those of the same images', async () => {
  const { json } = await compareCommand.run({ words: [], values: {}, cwd, signal }, recordingTerminal());
  const { sets } = json as unknown as { sets: { images: number; contenders: { label: string }[] }[] };
  assert.deepEqual(
    sets.map(({ images, contenders }) => [images, contenders.length]),
    [
      [12, 2],
      [6, 2],
      [6, 2],
    ],
  );
  const report = await reportCommand.run({ words: ['good-folds'], values: {}, cwd, signal }, recordingTerminal());
  const page = await readFile(report.json.page as string, 'utf8');
  checkPage(page);
  assert.match(page, /of 2 folds/);
  assert.match(page, /good-fold1<\/li>/, 'a curve for each fold');
});

test('where the run of a fold is gone nothing is pooled', async () => {
  await rm(join(project.runsDir, 'bad-fold1'), { recursive: true });
  const { json } = await compareCommand.run({ words: ['*-folds'], values: {}, cwd, signal }, recordingTerminal());
  const { runs, sets } = json as unknown as { runs: { run_id: string; dice: unknown }[]; sets: unknown[] };
  assert.deepEqual(
    runs.map(({ dice }) => dice === null),
    [false, true],
  );
  assert.equal(sets.length, 1);
});
