import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tryLock } from '../../src/core/lock.ts';
import { readJournal } from '../../src/tracking/journal.ts';
import { startAnswering } from '../mlflow-js-client/answering-server.ts';
import { obliging } from '../tracking/obliging.ts';
import { mountDisk } from './small-disk.ts';
import { makeUndisturbed, momentOf, type Outcome, outcomeOf, type Surviving, survive } from './surviving-run.ts';

let surviving: Surviving;
let undisturbed: Outcome;
before(async () => {
  ({ surviving, undisturbed } = await makeUndisturbed());
});
after(async () => await surviving.remove());

/** Each chain is one run: killed after its first batch, then at each moment in turn, and each time taken up where it stands. */
const CHAINS: Record<string, string[]> = {
  'between two batches, of training, validation and statistics': [
    ...['batch:1', 'batch:3', 'batch:4', 'batch:6', 'batch:9', 'batch:10', 'batch:12'],
  ],
  'before, after and in the middle of what a checkpoint writes': [
    ...[
      'write:1:half',
      'write:2',
      'write:3:half',
      'write:4:half',
      'write:5',
      'write:5:after',
      'rename:2',
      'rename:4:after',
    ],
  ],
  'at the journal: torn, before it is synced, after': [
    ...['line:2:half', 'line:3', 'line:5:after', 'line:6:half', 'sync:1', 'sync:3', 'sync:4:after'],
  ],
};
for (const [what, moments] of Object.entries(CHAINS)) {
  test(`killed ${1 + moments.length} times ${what}, a run ends as one that never was`, async () => {
    assert.deepEqual(await survive(surviving, ['batch:1', ...moments]), undisturbed);
  });
}

test('killed during its upload, a run ends as one that never was, and MLflow has each point once', async () => {
  const server = await startAnswering(obliging);
  try {
    const moments = ['batch:1', 'request:2', 'request:4', 'request:6:after'];
    assert.deepEqual(await survive(surviving, moments, { MLFLOW_TRACKING_URI: server.uri }), undisturbed);
  } finally {
    await server.stop();
  }
});

/** Starts a run and sends it a signal once it has begun to train. */
async function signalled(signal: NodeJS.Signals, words: string[]) {
  let sent = 0;
  const ended = await surviving.exp([...words, 'checkpoint_every=1h'], {}, (child) => {
    child.stderr!.on('data', (chunk: string) => {
      // The tracking server is missed when the run is under way.
      if (sent > 0 || !/not in MLflow yet/.test(String(chunk))) return;
      sent = performance.now();
      child.kill(signal);
    });
  });
  assert.ok(sent > 0, ended.stderr);
  return { ...ended, ms: performance.now() - sent };
}

const SIGNALS: [signal: NodeJS.Signals, code: number, ends: string[]][] = [
  ['SIGTERM', 143, ['KILLED']],
  ['SIGINT', 130, ['KILLED']],
  ['SIGUSR1', 75, []],
];
for (const [signal, code, ends] of SIGNALS) {
  test(`${signal}: saved, exit ${code}, and gone on with to the bit`, async () => {
    const before = new Set(await surviving.runs());
    assert.equal((await signalled(signal, [])).code, code);
    const run = (await surviving.runs()).find((each) => !before.has(each))!;
    const endings = () =>
      readJournal(join(run, 'journal.jsonl')).flatMap((entry) => (entry.type === 'end' ? [entry.status] : []));
    assert.deepEqual(endings(), ends);
    const { code: last, stderr } = await surviving.exp(['resume=last']);
    assert.equal(last, 0, stderr);
    assert.deepEqual(endings(), [...ends, 'FINISHED']);
    assert.deepEqual(await outcomeOf(run), undisturbed);
  });
}

test('a fork goes on with another configuration in a run of its own, which says where it comes from', async () => {
  const parent = (await surviving.runs()).at(-1)!;
  const { code, stderr } = await surviving.exp(['resume=last', 'fork=true', 'epochs=3']);
  assert.equal(code, 0, stderr);
  const child = (await surviving.runs()).at(-1)!;
  assert.notEqual(child, parent);
  const tags = readJournal(join(child, 'journal.jsonl')).flatMap((entry) =>
    entry.type === 'tags' ? [entry.tags] : [],
  );
  assert.equal(Object.assign({}, ...tags)['harness.parent_run_id'], parent.split('/').at(-1));
  const { points } = await outcomeOf(child);
  assert.ok('val/dice@3' in points && !('val/dice@1' in points), 'it begins where its parent ended');
});

test('a run that somebody trains is refused, and so is one of other data', async () => {
  const run = (await surviving.runs())[0]!;
  const ids = join(run, 'validation-ids.txt');
  const before = await readFile(ids, 'utf8');
  const journal = join(run, 'journal.jsonl');
  const lines = await readFile(journal, 'utf8');
  // As if it had been killed.
  await writeFile(journal, `${lines.trimEnd().split('\n').slice(0, -1).join('\n')}\n`);
  const id = run.split('/').at(-1)!;
  await writeFile(ids, 'another\n');
  const other = await surviving.exp([`resume=${id}`]);
  assert.equal(other.code, 2, other.stderr);
  await writeFile(ids, before);
  // Somebody who lives holds it: this very process.
  assert.ok(await tryLock(join(run, 'run.lock')));
  const second = await surviving.exp([`resume=${id}`]);
  assert.equal(second.code, 2, second.stderr);
  assert.match(second.stderr, /Expected a run that nobody trains/);
  await rm(join(run, 'run.lock'));
  const { code, stderr } = await surviving.exp([`resume=${id}`]);
  assert.equal(code, 0, stderr);
});

test('a disk that is too small, then full, then read-only: a sentence each, and in the end the undisturbed run', async (t) => {
  const runsDir = join(surviving.folder, 'small-disk');
  const checkpoint = await bytesOf(join((await surviving.runs())[0]!, 'checkpoints/epoch-0002'));
  const disk = await mountDisk(runsDir, Math.round(0.9 * checkpoint));
  if (typeof disk === 'string') return t.skip(disk);
  const exp = (words: string[]) => surviving.exp(words, { PNEUMOTHORAX_RUNS: runsDir });
  try {
    const small = await exp([]);
    assert.equal(small.code, 2, small.stderr);
    assert.match(small.stderr, /Expected at least \d+\.\d GiB of room for checkpoints in .*small-disk but there are /);
    const told = await exp(['dry_run=true']);
    assert.equal(told.code, 2, told.stderr);
    assert.match(told.stderr, /Expected at least \d+\.\d GiB of room/);
    assert.deepEqual(await readdir(runsDir), []);
    disk.resize(Math.round(2.6 * checkpoint));
    const full = await exp([]);
    assert.equal(full.code, 1, full.stderr);
    assert.match(full.stderr, /Cannot write .*: ENOSPC: .*The last checkpoint, \S+, is whole\. Make room/);
    assert.doesNotMatch(full.stderr, /^ +at /m);
    disk.readOnly(true);
    const closed = await exp(['resume=last']);
    assert.equal(closed.code, 2, closed.stderr);
    assert.match(closed.stderr, /Cannot write .*: EROFS: /);
    disk.readOnly(false);
    disk.resize(9 * checkpoint);
    const resumed = await exp(['resume=last']);
    assert.equal(resumed.code, 0, resumed.stderr);
    const runs = await readdir(runsDir);
    assert.equal(runs.length, 1);
    assert.deepEqual(await outcomeOf(join(runsDir, runs[0]!)), undisturbed);
  } finally {
    disk.unmount();
  }
});

test('full within a checkpoint, at its index, at a line of the journal and at the probabilities, a run ends as one that never was', async () => {
  const known = new Set(await surviving.runs());
  for (const [index, moment] of [
    'write:7:full',
    'index:2:full',
    'line:4:full',
    'append:2:full',
    'sync:3:full',
  ].entries()) {
    const { code, stderr } = await surviving.exp(index === 0 ? [] : ['resume=last'], momentOf(moment));
    assert.equal(code, 1, `${moment}: ${stderr}`);
    assert.match(stderr, /Cannot write .*: ENOSPC: .*Make room/);
  }
  const { code, stderr } = await surviving.exp(['resume=last']);
  assert.equal(code, 0, stderr);
  const run = (await surviving.runs()).find((each) => !known.has(each))!;
  assert.deepEqual(await outcomeOf(run), undisturbed);
});

/** Bytes of the files in a folder. */
async function bytesOf(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
