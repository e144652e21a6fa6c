import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readJournal } from '../../src/tracking/journal.ts';
import { makeUndisturbed, momentOf, type Outcome, outcomeOf, type Surviving, survive } from './surviving-run.ts';

let surviving: Surviving;
let undisturbed: Outcome;
before(async () => {
  ({ surviving, undisturbed } = await makeUndisturbed());
});
after(async () => await surviving.remove());

test('a run that is killed six times ends as one that never was, to the last bit', async () => {
  const moments = [
    // Between two batches of a group, before anything was saved.
    'batch:2',
    // A checkpoint whose files are all there, under the name that nobody reads.
    'rename:1',
    // Half of a checkpoint's file.
    'write:6:half',
    // Half of a line of the journal.
    'line:4:half',
    // A checkpoint that is there while the index does not say so yet.
    'rename:3:after',
    // While the average's batch-norm statistics are made anew.
    'batch:14',
  ];
  assert.deepEqual(await survive(surviving, moments), undisturbed);
});

test('a full disk is one sentence, and a flipped bit costs one checkpoint: the run ends as one that never met either', async () => {
  const known = new Set(await surviving.runs());
  const full = await surviving.exp([], momentOf('write:15:full'));
  const runDir = (await surviving.runs()).find((run) => !known.has(run))!;
  const id = runDir.split('/').at(-1)!;
  assert.equal(full.code, 1, full.stderr);
  assert.match(
    full.stderr,
    new RegExp(`Cannot write .*${id}: ENOSPC: .*The last checkpoint, update-000002, is whole\\. Make room`),
  );
  assert.ok(full.stderr.includes(`resume=${id}`) && !/^ +at /m.test(full.stderr), full.stderr);
  const end = readJournal(join(runDir, 'journal.jsonl')).at(-1)!;
  assert.deepEqual([end.type, end.type === 'end' && end.status], ['end', 'FAILED']);
  assert.deepEqual(
    (await readdir(join(runDir, 'checkpoints'))).filter((name) => name.startsWith('.')),
    [],
  );
  const weights = join(runDir, 'checkpoints/update-000002/weights.safetensors');
  const bytes = await readFile(weights);
  bytes[bytes.length >> 1]! ^= 16;
  await writeFile(weights, bytes);
  const resumed = await surviving.exp([`resume=${id}`]);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stderr, /checkpoint update-000002 is damaged and not gone on from: .*SHA-256/);
  assert.deepEqual(await outcomeOf(runDir), undisturbed);
});

test('a finished run that is taken up is left as it is; one begun otherwise is not taken up', async () => {
  const before = (await surviving.runs()).length;
  const again = await surviving.exp(['resume=last']);
  assert.equal(again.code, 0, again.stderr);
  const other = await surviving.exp(['resume=last', 'seed=7', 'checkpoint_every=5m']);
  assert.equal(other.code, 2);
  assert.match(
    other.stderr,
    /Expected the configuration that \S+ began with for resume but 1 keys differ:\n {2}seed: 42, now 7\n/,
  );
  assert.equal((await surviving.runs()).length, before);
});
