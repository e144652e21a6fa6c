import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { TrainStep } from '../../src/train/step.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { makeBatch, makeStep, smallUnet } from '../engine/steps-for-tests.ts';

before(loadForTests);

/** Gathers gradients of two batches and a half, so to say: an update, then one batch that waits. */
function begin(step: TrainStep): void {
  step.accumulate(makeBatch(1));
  step.accumulate(makeBatch(2));
  step.apply(1e-3);
  step.follow(0.5);
  step.accumulate(makeBatch(3));
}

function goOn(step: TrainStep) {
  step.accumulate(makeBatch(4));
  step.apply(1e-3);
  step.follow(0.5);
  step.accumulate(makeBatch(5));
  step.apply(1e-3);
  return { weights: step.readWeights(), state: step.readState(), average: step.readAverage() };
}

for (const scalesLoss of [false, true]) {
  const make = () => makeStep(smallUnet(), { accumulates: true, averages: true, scalesLoss });
  test(`a step goes on in another one to the bit, in the middle of a group${scalesLoss ? ', loss scaling and all' : ''}`, () => {
    const one = make();
    begin(one);
    const weights = one.readWeights();
    const state = structuredClone(one.readState());
    assert.equal(state.counters.waiting, 2);
    const undisturbed = goOn(one);
    one.dispose();
    const other = make();
    other.writeWeights(weights);
    other.writeState(state);
    assert.deepEqual(goOn(other), undisturbed);
    other.dispose();
  });
}

test('arrays that are missing or of another shape are refused', () => {
  const step = make();
  begin(step);
  const { arrays, counters } = step.readState();
  const [name, { data }] = [...arrays][0]!;
  const without = new Map([...arrays].slice(1));
  assert.throws(() => step.writeState({ arrays: without, counters }), /missing/);
  const other = new Map([...arrays, [name, { shape: [1, data.length], data }]]);
  assert.throws(() => step.writeState({ arrays: other, counters }), /shape/);
  step.dispose();
});

const make = () => makeStep(smallUnet(), { accumulates: true, averages: true });
