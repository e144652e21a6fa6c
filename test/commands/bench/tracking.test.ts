import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isReached,
  spreadOf,
  summariseWays,
  trackingReport,
  type WayPair,
} from '../../../src/commands/bench/tracking/report.ts';
import { WAYS } from '../../../src/commands/bench/tracking/ways.ts';
import { benchTracking } from '../../../src/commands/bench/tracking.ts';
import { silentTerminal } from '../../../src/core/terminal.ts';

/** A round in which every server but the healthy one has the own speed, and the healthy one beside it the other. */
const round = (own: number, healthy: number, lost = 0): WayPair[] => {
  const measure = (images_per_second: number) => ({ images_per_second, points: 10, waiting: 0, lost });
  return WAYS.slice(1).map(() => ({ own: measure(own), healthy: measure(healthy) }));
};

test('a server is held against the healthy one beside it', () => {
  const rounds = [round(50, 100), round(9.9, 10), round(50, 50)];
  const results = summariseWays(rounds);
  assert.deepEqual(
    results.map(({ name }) => name),
    WAYS.map(({ name }) => name),
  );
  assert.equal(results[0]!.share, 1);
  // 0.5, 0.99 and 1: the median.
  assert.ok(results.slice(1).every(({ share }) => share === 0.99));
  assert.ok(isReached(results));
  assert.ok(!isReached(summariseWays([round(50, 50, 1)])), 'a lost point is one too many');
  const slow = round(50, 50);
  slow[2] = { ...slow[2]!, own: { ...slow[2]!.own, images_per_second: 50 * 0.97 } };
  assert.ok(!isReached(summariseWays([slow])));
  assert.equal(spreadOf(rounds), (100 - 10) / 50);
});

test('the report names every server and whether the goal is reached', () => {
  const machine = { processor: 'p', cores: 2, memory_gb: 8, system: 's' };
  const head = { command: 'npm run bench tracking', date: '2019-09-01', machine, rounds: 1, spread: 0.015 };
  const report = trackingReport(head, summariseWays([round(20, 20)]));
  for (const { name } of WAYS) assert.match(report, new RegExp(`^\\| ${name} \\|.*\\| 20\\.00 \\| 0\\.0 % \\|`, 'm'));
  assert.match(report, /within 1\.5 % of one another/);
  assert.match(report, /\*\*reached\*\*/);
});

test('rounds are a whole number', async () => {
  const args = { words: [], values: { rounds: 'many' }, cwd: '.', signal: new AbortController().signal };
  await assert.rejects(benchTracking(args, silentTerminal), /Expected a whole number from 1 to 99 for rounds/);
});
