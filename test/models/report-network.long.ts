import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loadForTests } from '../engine/load-for-tests.ts';
import { makeStep } from '../engine/steps-for-tests.ts';
import { buildReportNetwork, golden, goldenBatch } from './report-network.ts';

before(loadForTests);

/*
 * Keras with and without oneDNN, which only orders sums differently, part by 7e-4 over twenty steps at twice this rate.
 */
test("twenty steps of Adam on the report's network lose as in Keras", () => {
  const step = makeStep(buildReportNetwork(), { batchSize: golden.count, resolution: golden.side });
  const batch = goldenBatch();
  golden.losses.forEach((wanted, update) => {
    const loss = step.update(batch, golden.lr);
    const difference = Math.abs(loss / wanted - 1);
    const allowed = update === 0 ? 1e-6 : 1e-3;
    assert.ok(difference <= allowed, `losses ${loss} and ${wanted} at update ${update} differ by ${difference}`);
  });
  step.dispose();
});
