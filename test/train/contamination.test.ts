import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Experiment } from '../../src/config/experiment.ts';
import { UserError } from '../../src/core/errors.ts';
import { writeFolds } from '../../src/data/folds.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import { checkPlannedLineage, traceLineage } from '../../src/train/contamination.ts';
import { readTrainedOn, trainedFurther, UNTRAINED, writeTrainedOn } from '../../src/train/trained-on.ts';
import { recordingTerminal, temporaryFolder } from '../data/fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let runsDir: string;
before(async () => {
  folder = await temporaryFolder();
  runsDir = join(folder.path, 'runs');
  await makeRun('first', ['a', 'b', 'c']);
  await makeRun('old', undefined);
  const rows = ['a', 'b', 'c', 'd', 'e'].map((imageId, i) => ({ imageId, fold: i % 2, patientId: '' }));
  await writeFolds(join(folder.path, 'x.csv'), rows);
});
after(() => folder.remove());

/** A finished run as its files tell of it. */
async function makeRun(name: string, images: string[] | undefined): Promise<void> {
  const dir = join(runsDir, `20190901-101500-${name}`);
  await mkdir(dir, { recursive: true });
  const journal = await openJournal(dir);
  journal.run({ run_id: `20190901-101500-${name}`, name, experiment: 'x', params: {}, tags: {} });
  journal.end('FINISHED');
  journal.close();
  if (images !== undefined) await writeTrainedOn(dir, { images, unknown: [] });
}

function experimentOf(name: string, from?: string, more: object = {}): Experiment {
  const init = from === undefined ? {} : { init: { from, checkpoint: 'best-dice' } };
  const data = { root: '', folds: 'x.csv', fold: 0 };
  return { name, ...init, data, ...more } as unknown as Experiment;
}

async function trace(experiment: Experiment, validation: string[], earlier = new Map<string, string>()) {
  const terminal = recordingTerminal();
  const lineage = await traceLineage(experiment, validation, { runsDir, earlier }, terminal);
  return { ...lineage, lines: terminal.lines };
}

test('an experiment without init comes from nothing', async () => {
  assert.deepEqual(await trace(experimentOf('new'), ['a']), { before: UNTRAINED, tags: {}, lines: [] });
});

test('validation on images that were held out is what it seems', async () => {
  const { before, tags, lines } = await trace(experimentOf('next', 'first'), ['d', 'e']);
  assert.deepEqual(before.images, ['a', 'b', 'c']);
  assert.deepEqual([tags, lines], [{ 'init.run_id': '20190901-101500-first' }, []]);
});

test('validation on images that the run was trained on is refused with their number and the way out', async () => {
  await assert.rejects(trace(experimentOf('next', 'first'), ['b', 'c', 'd']), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(
      error.message,
      /20190901-101500-first.*for init\.from but received "2 of 3.*allow_contaminated_validation: true/,
    );
    return true;
  });
});

test('the way out warns and marks the run', async () => {
  const allowed = experimentOf('next', 'first', { allow_contaminated_validation: true });
  const { tags, lines } = await trace(allowed, ['b', 'c', 'd']);
  assert.equal(tags['validation.contaminated'], '2');
  assert.match(lines[0]!, /^warning: 2 of the 3 validation images were trained on/);
  assert.deepEqual((await trace(allowed, ['d'])).tags, { 'init.run_id': '20190901-101500-first' });
});

test('what a run was trained on goes down the chain', async () => {
  const second = trainedFurther({ images: ['a', 'b'], unknown: ['older'] }, ['b', 'd']);
  assert.deepEqual(second, { images: ['a', 'b', 'd'], unknown: ['older'] });
  const dir = join(runsDir, '20190901-101500-second');
  await makeRun('second', second.images);
  assert.deepEqual((await readTrainedOn({ dir, run_id: 'second' })).images, ['a', 'b', 'd']);
  // The grandparent's images count: a is not trained on by the second run itself.
  await assert.rejects(trace(experimentOf('third', 'second'), ['a']), /1 of 1/);
  await assert.rejects(
    trace(experimentOf('third', 'name'), ['a'], new Map([['name', '20190901-101500-second']])),
    /1 of 1/,
  );
});

test('a run without a record is said so, and marks those after it', async () => {
  const { before, tags, lines } = await trace(experimentOf('next', 'old'), ['a']);
  assert.deepEqual(before, { images: [], unknown: ['20190901-101500-old'] });
  assert.equal(tags['validation.unrecorded'], '20190901-101500-old');
  assert.match(lines[0]!, /^warning: 20190901-101500-old: .*no record/);
  await writeFile(join(runsDir, '20190901-101500-old', 'trained-on.json'), '{}');
  await assert.rejects(trace(experimentOf('next', 'old'), ['a']), /trained-on\.json/);
});

test('a chain is held against its folds before anything runs', async () => {
  const check = async (...experiments: Experiment[]) => {
    await checkPlannedLineage(experiments, { runsDir, cwd: folder.path });
  };
  const other = { data: { root: '', folds: 'x.csv', fold: 1 } };
  await check(experimentOf('256'), experimentOf('512', '256'), experimentOf('768', '512'));
  // Fold 1 holds b and d, which training with fold 0 held out sees.
  await assert.rejects(check(experimentOf('256'), experimentOf('512', '256', other)), /256.*"2 of 2/);
  const third = experimentOf('768', '512', other);
  await assert.rejects(check(experimentOf('256'), experimentOf('512', '256'), third), /512.*"2 of 2/);
  await check(experimentOf('512'), { ...third, allow_contaminated_validation: true });
  await assert.rejects(check(experimentOf('512', 'first')), /"2 of 3/);
  await check(experimentOf('512', 'first', { data: { root: '', folds: 'not-drawn-yet.csv', fold: 0 } }));
});
