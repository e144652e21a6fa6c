import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halve, rungEpochs } from '../../src/jobs/halving.ts';
import { judge } from '../../src/jobs/judge-end.ts';
import { failuresAfter, type UnitState } from '../../src/jobs/sweep-state.ts';

test('rungs lie at growing epochs below the last one', () => {
  const halving = { first_epoch: 2, factor: 3, margin: 0 };
  assert.deepEqual(rungEpochs(halving, 20), [2, 6, 18]);
  assert.deepEqual(rungEpochs(halving, 18), [2, 6]);
  assert.deepEqual(rungEpochs(halving, 2), []);
  assert.deepEqual(rungEpochs({ ...halving, first_epoch: 1, factor: 1.5 }, 6), [1, 2, 3, 5], 'each epoch once');
});

const trials = [
  { trial: 't01', dice: 0.7 },
  { trial: 't02', dice: 0.8 },
  { trial: 't03', dice: 0.795 },
  { trial: 't04', dice: 0.6 },
];
const names = (ranked: readonly { trial: string }[]) => ranked.map(({ trial }) => trial);

test('the best share goes on, and who is within the margin of its last', () => {
  const plain = halve(trials, { factor: 3, margin: 0 });
  assert.deepEqual(
    [names(plain.kept), names(plain.stopped)],
    [
      ['t02', 't03'],
      ['t01', 't04'],
    ],
  );
  assert.equal(plain.limit, 0.795);
  const one = halve(trials, { factor: 4, margin: 0 });
  assert.deepEqual(names(one.kept), ['t02']);
  assert.deepEqual(names(halve(trials, { factor: 4, margin: 0.01 }).kept), ['t02', 't03']);
  assert.deepEqual(names(halve(trials, { factor: 4, margin: 0.5 }).stopped), []);
});

test('equals are not told apart: neither is clearly worse', () => {
  const equal = ['t03', 't01', 't02'].map((trial) => ({ trial, dice: 0.5 }));
  const { kept, stopped } = halve(equal, { factor: 3, margin: 0 });
  assert.deepEqual([names(kept), names(stopped)], [['t01', 't02', 't03'], []]);
});

const unit: UnitState = { status: 'handed', attempts: 1, failures: 0, checkpoint: 'epoch-0001' };
const ended = (code: number | undefined, epochs = 0) => ({
  end: code === undefined ? undefined : { code, host: 'h', started: 0, ended: 1 },
  checkpoint: 'epoch-0002',
  epochs,
});

test('how an attempt ended decides what becomes of its unit', () => {
  const outcomes = [0, 3, 2, 1, 134, 75, 130, 143, undefined].map((code) => judge(ended(code), unit).outcome);
  const stopped = ['preempted', 'preempted', 'preempted', 'preempted'];
  assert.deepEqual(outcomes, ['finished', 'finished', 'refused', 'failed', 'failed', ...stopped]);
  assert.equal(judge(ended(75, 2), { ...unit, until: 2 }).outcome, 'paused');
  assert.equal(judge(ended(75, 1), { ...unit, until: 2 }).outcome, 'preempted', 'it was not there yet');
  const cancelling = { ...unit, cancelling: true };
  assert.deepEqual(
    [0, 143, undefined, 1].map((code) => judge(ended(code), cancelling).outcome),
    ['finished', 'cancelled', 'cancelled', 'cancelled'],
  );
  const end = { code: 2, message: 'Expected this.\nAnd more', host: 'h', started: 0, ended: 1 };
  assert.equal(judge({ ...ended(2), end }, unit).why, 'exit code 2: Expected this.');
});

test('a preempted attempt counts as a failed one where it has got no further', () => {
  assert.equal(failuresAfter(unit, 'preempted', 'epoch-0002'), 0);
  assert.equal(failuresAfter(unit, 'preempted', 'epoch-0001'), 1);
  assert.equal(failuresAfter(unit, 'preempted', undefined), 1);
  assert.equal(failuresAfter(unit, 'failed', 'epoch-0002'), 1);
  assert.equal(failuresAfter(unit, 'finished', undefined), 0);
});
