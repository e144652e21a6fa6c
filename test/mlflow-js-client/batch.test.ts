import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitBatch } from '../../src/mlflow-js-client/batch.ts';
import { checkKey, encodeArtifactPath } from '../../src/mlflow-js-client/check.ts';

const metric = (step: number, value = 1) => ({ key: 'train/loss', value, timestamp: 5, step });
const pairs = (count: number, value = 'v') => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value }));

test('a batch is split at 1,000 metrics and 100 tags or params, and never mixes kinds', () => {
  const metrics = Array.from({ length: 2500 }, (_, step) => metric(step));
  const parts = splitBatch({ metrics, params: pairs(201), tags: pairs(100) });
  const shape = parts.map((part) => Object.entries(part).map(([kind, items]) => `${kind} ${items.length}`));
  assert.deepEqual(shape, [
    ['metrics 1000'],
    ['metrics 1000'],
    ['metrics 500'],
    ['tags 100'],
    ['params 100'],
    ['params 100'],
    ['params 1'],
  ]);
});

test('a batch is split below 1 MB of UTF-8', () => {
  // 8,000 euro signs of 3 bytes are 24,000 bytes: 41 tags and their frames are 984,000 and some, 42 are over 1,000,000.
  const parts = splitBatch({ tags: pairs(100, '€'.repeat(8000)) });
  assert.deepEqual(
    parts.map((part) => ('tags' in part ? part.tags.length : 0)),
    [41, 41, 18],
  );
  for (const part of parts) assert.ok(Buffer.byteLength(JSON.stringify({ run_id: 'x'.repeat(32), ...part })) < 1e6);
});

test('whatever the batch, its parts hold every item once and in order', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
  const item = fc.record({ key, value: fc.string({ maxLength: 6000 }) });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 400 }), (params) => {
      const parts = splitBatch({ params });
      assert.deepEqual(
        parts.flatMap((part) => ('params' in part ? part.params : [])),
        params,
      );
    }),
    { numRuns: 30 },
  );
});

test('NaN and infinities become the strings that the server understands', () => {
  const parts = splitBatch({ metrics: [metric(1, Number.NaN), metric(2, Number.NEGATIVE_INFINITY), metric(3, 0.5)] });
  const values = parts.flatMap((part) => ('metrics' in part ? part.metrics.map(({ value }) => value) : []));
  assert.deepEqual(values, ['NaN', '-Infinity', 0.5]);
});

test('what the server would cut or misread is refused', () => {
  assert.throws(() => splitBatch({ params: [{ key: 'a', value: 'x'.repeat(6001) }] }), /at most 6000 .* received 6001/);
  assert.throws(() => splitBatch({ tags: [{ key: 'a', value: 'x'.repeat(8001) }] }), /at most 8000 .* received 8001/);
  assert.throws(() => splitBatch({ metrics: [metric(1.5)] }), /whole step/);
  assert.throws(() => splitBatch({ metrics: [{ ...metric(1), timestamp: Number.NaN }] }), /whole step and timestamp/);
  // The server counts characters, of which this is 6,000, and not UTF-16 units.
  assert.equal(splitBatch({ params: [{ key: 'a', value: '𝕏'.repeat(6000) }] }).length, 1);
});

test('keys are those that the server takes', () => {
  for (const key of ['val/dice', 'a.b-c_d: e', 'schön', 'x'.repeat(250)]) checkKey('metric', key);
  const wrong = ['', 'a[0]', 'a,b', 'a//b', '/a', 'a/', '..', '../a', 'a/../b', './a', '...a', 'x'.repeat(251), 'a\n'];
  for (const key of wrong) assert.throws(() => checkKey('metric', key), RangeError, JSON.stringify(key));
});

test('no artifact path leaves the run’s folder, however it is written', () => {
  assert.equal(encodeArtifactPath('images/val~a+step+1.png'), 'images/val~a%2Bstep%2B1.png');
  assert.equal(encodeArtifactPath('50 %.txt'), '50%20%25.txt');
  const wrong = [
    '..',
    '../a',
    'a/../b',
    'a/%2e%2e/b',
    'a/%252e%252e/b',
    'a/%2E./b',
    'a%2f..%2fb',
    '',
    '/a',
    'a//b',
    './a',
  ];
  for (const path of [...wrong, 'a\\b', 'a%5cb', 'a\0b']) {
    assert.throws(() => encodeArtifactPath(path), RangeError, JSON.stringify(path));
  }
});
