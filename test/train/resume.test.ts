import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeUndisturbed, type Outcome, type Surviving, survive } from './surviving-run.ts';

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
