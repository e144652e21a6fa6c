import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseSweep } from '../../src/config/sweep.ts';
import { UserError } from '../../src/core/errors.ts';
import { listTrials, listUnits } from '../../src/jobs/expand-sweep.ts';
import { checkUnits, planUnits } from '../../src/jobs/plan-sweep.ts';
import { SMALL_EXPERIMENT } from './run-exp.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'expand-'));
  await writeFile(join(folder, 'small.yml'), SMALL_EXPERIMENT);
  await writeFile(
    join(folder, 'next.yml'),
    `${SMALL_EXPERIMENT.replace('name: small', 'name: next')}init: { from: small }\n`,
  );
});
after(async () => await rm(folder, { recursive: true }));

async function parse(text: string, words: Record<string, string> = {}) {
  await writeFile(join(folder, 'sweep.yml'), text);
  return await parseSweep('sweep.yml', words, folder);
}

async function refused(text: string, message: RegExp, words: Record<string, string> = {}) {
  await assert.rejects(parse(text, words), (error) => error instanceof UserError && message.test(error.message));
}

test('a grid has every combination, over what all trials change', async () => {
  const trials = listTrials(
    await parse('name: s\nbase: small.yml\nset: { epochs: 3 }\ngrid: { a: [1, 2], b.c: [x, y] }'),
  );
  assert.deepEqual(
    trials.map(({ id, changes }) => [id, changes]),
    [
      ['t01', { epochs: 3, a: 1, 'b.c': 'x' }],
      ['t02', { epochs: 3, a: 1, 'b.c': 'y' }],
      ['t03', { epochs: 3, a: 2, 'b.c': 'x' }],
      ['t04', { epochs: 3, a: 2, 'b.c': 'y' }],
    ],
  );
});

test('what is drawn stays what it was when another key is added', async () => {
  const random = 'lr: { log_uniform: [1.0e-5, 1.0e-2] }, n: { int: [1, 9] }, c: { choice: [a, b] }';
  const draw = async (keys: string) =>
    listTrials(await parse(`name: s\nbase: small.yml\nrandom: { trials: 50, seed: 7, keys: { ${keys} } }`));
  const [first, again, more] = [
    await draw(random),
    await draw(random),
    await draw(`p: { uniform: [0, 1] }, ${random}`),
  ];
  assert.deepEqual(first, again);
  assert.deepEqual(
    more.map(({ changes: { p: _, ...others } }) => others),
    first.map(({ changes }) => changes),
  );
  const rates = first.map(({ changes }) => changes.lr as number);
  assert.ok(rates.every((lr) => lr >= 1e-5 && lr <= 1e-2));
  // Evenly in the logarithm: a third of them lies in each of three decades.
  assert.ok(rates.filter((lr) => lr < 1e-4).length >= 8 && rates.filter((lr) => lr > 1e-3).length >= 8);
  assert.ok(first.every(({ changes: { n } }) => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= 9));
});

test('units are trials by folds by seeds by files, all first files first', async () => {
  const sweep = await parse('name: s\nbase: [small.yml, next.yml]\nseeds: [4, 5]');
  const units = listUnits(sweep, listTrials(sweep), [0, 1]);
  assert.deepEqual(
    units.map(({ id, after }) => [id, after]),
    [
      ...['t01-f0-s4-1', 't01-f0-s5-1', 't01-f1-s4-1', 't01-f1-s5-1'].map((id) => [id, undefined]),
      ...['t01-f0-s4', 't01-f0-s5', 't01-f1-s4', 't01-f1-s5'].map((id) => [`${id}-2`, `${id}-1`]),
    ],
  );
});

test('a unit is the words that make its run, from the run before it', async () => {
  const sweep = await parse('name: s\nbase: [small.yml, next.yml]\nset: { batch_size: 2 }\nseeds: [4]');
  const { units } = await checkUnits(sweep, { file: 'sweep.yml', cwd: folder, runsDir: join(folder, 'runs') });
  const [first, second] = planUnits(units, '20261129-000000-s');
  const own = [
    'batch_size=2',
    'name=s-t01-s4-1',
    'seed=4',
    'run=20261129-000000-s-t01-s4-1',
    'sweep=20261129-000000-s',
  ];
  assert.deepEqual(first!.words, ['exp', 'small.yml', ...own]);
  assert.ok(second!.words.includes('init.from=20261129-000000-s-t01-s4-1'), second!.words.join(' '));
  assert.equal(first!.epochs, 1);
});

test('a value that is wrong in several units is named once, with its trial', async () => {
  const sweep = await parse('name: s\nbase: small.yml\nlist: [{ epochs: 1 }, { epochs: 0 }]\nseeds: [1, 2]');
  await assert.rejects(
    checkUnits(sweep, { file: 'sweep.yml', cwd: folder, runsDir: join(folder, 'runs') }),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^sweep\.yml, trial t02 \(epochs=0\): Expected a number of at least 1 for epochs/);
      assert.equal(error.message.split('\n').length, 1);
      return true;
    },
  );
  const chain = await parse('name: s\nbase: [small.yml, small.yml]');
  await assert.rejects(
    checkUnits(chain, { file: 'sweep.yml', cwd: folder, runsDir: join(folder, 'runs') }),
    /Expected "?init\.from: small/,
  );
});

test('what is wrong with a sweep is said with its place', async () => {
  const head = 'name: s\nbase: small.yml\n';
  await refused(`${head}grid: { a: [1] }\nlist: [{ a: 1 }]`, /sweep\.yml:4: Expected one of grid, list and random/);
  await refused(`${head}set: { seed: 3 }`, /sweep\.yml:3: .*set\.seed.*Write seeds: \[1, 2\]/);
  await refused(`${head}seeds: [1, 1]`, /sweep\.yml:3: Expected each value once for seeds/);
  await refused(`${head}random: { trials: 2, keys: { a: { uniform: [2, 1] } } }`, /the smaller end first/);
  await refused(head, /Expected .* for jobs\.address/, { 'jobs.executor': 'ray' });
  await refused(head, /Expected local, ray or slurm for jobs\.executor/, { 'jobs.executor': 'pbs' });
  const secret = { 'jobs.executor': 'ray', 'jobs.address': 'http://me:word@h:8265' };
  await refused(head, /Expected an address without user and password/, secret);
  const { jobs } = await parse(head, { 'jobs.executor': 'ray', 'jobs.address': 'http://h:8265' });
  assert.deepEqual([jobs.executor, jobs.executor === 'ray' && jobs.address], ['ray', 'http://h:8265']);
});
