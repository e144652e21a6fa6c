import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildOptimizer, buildSchedule } from '../../src/optim/index.ts';

const at = (update: number, warmup = 0) =>
  buildSchedule({ name: 'cosine', lr: 1, min_lr: 0.1, warmup_updates: warmup })({
    update,
    updates: 100,
    epoch: 0,
    scores: [],
  });

test('half a cosine from the highest rate to the lowest', () => {
  assert.equal(at(0), 1);
  assert.ok(Math.abs(at(50) - (0.1 + 0.9 / 2)) < 1e-12);
  assert.equal(at(100), 0.1);
  assert.equal(at(200), 0.1);
});

test('a linear rise before it', () => {
  assert.equal(at(0, 10), 1 / 10);
  assert.equal(at(9, 10), 1);
  assert.equal(at(10, 10), 1);
});

test("Adam's rate holds the bias corrections", () => {
  const adam = buildOptimizer({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  assert.ok(Math.abs(adam.rate(1, 1) - Math.sqrt(1 - 0.999) / (1 - 0.9)) < 1e-12);
  assert.ok(Math.abs(adam.rate(1, 1e6) - 1) < 1e-12);
});
