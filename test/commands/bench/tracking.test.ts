import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WayMeasure } from '../../../src/commands/bench/tracking/measure.ts';
import { isReached, summariseWays, trackingReport } from '../../../src/commands/bench/tracking/report.ts';
import { WAYS } from '../../../src/commands/bench/tracking/ways.ts';
import { benchTracking } from '../../../src/commands/bench/tracking.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

const round = (speeds: number[], lost = 0): WayMeasure[] =>
  speeds.map((images_per_second) => ({ images_per_second, points: 10, waiting: 0, lost }));

test('a server is held against the healthy one of the same round', () => {
  const all = WAYS.map(() => 50);
  const results = summariseWays([
    round([100, ...all.slice(1)]),
    round([10, ...all.slice(1).map(() => 9.9)]),
    round(all),
  ]);
  assert.equal(results[0]!.share, 1);
  // 0.5, 0.99 and 1: the median.
  assert.ok(results.slice(1).every(({ share }) => share === 0.99));
  assert.ok(isReached(results));
  assert.ok(!isReached(summariseWays([round(all, 1)])), 'a lost point is one too many');
  const slow = all.map((speed, index) => (index === 3 ? speed * 0.97 : speed));
  assert.ok(!isReached(summariseWays([round(slow)])));
});

test('the report names every server and whether the goal is reached', () => {
  const machine = { processor: 'p', cores: 2, memory_gb: 8, system: 's' };
  const head = { command: 'npm run bench tracking', date: '2019-09-01', machine, rounds: 1 };
  const report = trackingReport(head, summariseWays([round(WAYS.map(() => 20))]));
  for (const { name } of WAYS) assert.match(report, new RegExp(`^\\| ${name} \\|.*\\| 20\\.00 \\| 0\\.0 % \\|`, 'm'));
  assert.match(report, /\*\*reached\*\*/);
});

test('rounds are a whole number', async () => {
  const args = { words: [], values: { rounds: 'many' }, cwd: '.', signal: new AbortController().signal };
  await assert.rejects(benchTracking(args, silentTerminal), /Expected a whole number from 1 to 99 for rounds/);
});
