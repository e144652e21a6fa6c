import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { buildSchedule, scheduleConfig } from '../../src/optim/index.ts';
import type { ScheduleProgress } from '../../src/optim/schedule.ts';

/** Every schedule of the table with the settings that it has by itself, so that a newcomer is covered without being named. */
const schedules = scheduleConfig.options.map((option) =>
  scheduleConfig.parse({ name: option.shape.name.value, lr: 0.2 }),
);

/** Every moment of a run of 20 epochs of 7 updates, whose Dice rises and stays. */
const RUN: ScheduleProgress[] = Array.from({ length: 140 }, (_, update) => {
  const epoch = Math.floor(update / 7);
  return { update, updates: 140, epoch, scores: Array.from({ length: epoch }, (_, i) => Math.min(0.7, 0.1 * i)) };
});

for (const config of schedules) {
  const { name } = config;

  test(`${name}: a rate above zero and at most lr, which it comes near to, at every update`, () => {
    const rates = RUN.map(buildSchedule(config));
    for (const [update, rate] of rates.entries()) assert.ok(rate >= 0 && rate <= 0.2 + 1e-12, `${rate} at ${update}`);
    assert.ok(rates[0]! > 0 || name === 'cyclical', 'cyclical begins at its lowest');
    assert.ok(Math.max(...rates) > 0.19, `${Math.max(...rates)}`);
  });

  test(`${name}: the same progress gives the same rate, in any order and from any copy, and changes nothing`, () => {
    const schedule = buildSchedule(config);
    const rates = RUN.map(schedule);
    const resumed = buildSchedule(config);
    const backwards = RUN.map((_, i) => RUN.at(-1 - i)!).map((progress) => {
      const copy = structuredClone(progress);
      const rate = resumed(copy);
      assert.deepEqual(copy, progress);
      return rate;
    });
    assert.deepEqual(backwards.reverse(), rates);
  });

  test(`${name}: rates are in proportion to lr and min_lr`, () => {
    const scaled = 'min_lr' in config ? { lr: 2, min_lr: 0.1 } : { lr: 2 };
    const tenth = 'min_lr' in config ? { lr: 0.2, min_lr: 0.01 } : { lr: 0.2 };
    const [large, small] = [scaled, tenth].map((rates) =>
      RUN.map(buildSchedule(scheduleConfig.parse({ name, ...rates }))),
    );
    for (const [i, rate] of large!.entries()) assert.ok(Math.abs(rate - 10 * small![i]!) < 1e-9);
    if ('min_lr' in config && name !== 'one_cycle') assert.ok(Math.min(...small!) >= 0.01 - 1e-12);
  });

  if ('min_lr' in config) {
    test(`${name}: a lowest rate above the highest is refused`, () => {
      const { error } = scheduleConfig.safeParse({ name, lr: 0.1, min_lr: 0.2 });
      assert.deepEqual(
        error?.issues.map(({ path, message }) => [path, message]),
        [[['min_lr'], 'at most lr']],
      );
      assert.equal(scheduleConfig.safeParse({ name, lr: 0.1, min_lr: 0.1 }).success, true);
    });
  }
}

interface Golden {
  schedules: { config: { name: string }; rates: number[]; updates?: number; epochs?: number; scores?: number[] }[];
}
const text = readFileSync(new URL('../golden/optim-torch.json', import.meta.url), 'utf8');
const golden = (JSON.parse(text) as Golden).schedules;

for (const { config, rates, updates, scores } of golden) {
  test(`PyTorch has the same rates: ${JSON.stringify(config)}`, () => {
    const schedule = buildSchedule(scheduleConfig.parse(config));
    rates.forEach((wanted, i) => {
      const progress = {
        update: updates === undefined ? 0 : i,
        updates: updates ?? 1,
        epoch: updates === undefined ? i : 0,
      };
      const found = schedule({ ...progress, scores: scores?.slice(0, i) ?? [] });
      assert.ok(Math.abs(found - wanted) <= 1e-9, `${found}, not ${wanted}, at ${i}`);
    });
  });
}

test('every schedule is held against another implementation', () => {
  assert.deepEqual(
    [...new Set(golden.map(({ config }) => config.name))].sort(),
    schedules.map(({ name }) => name).sort(),
  );
});

const at = (config: object, update: number) =>
  buildSchedule(scheduleConfig.parse(config))({ update, updates: 100, epoch: 0, scores: [] });

test('cosine: half a cosine from the highest rate to the lowest, which stays', () => {
  const cosine = { name: 'cosine', lr: 1, min_lr: 0.1 };
  assert.equal(at(cosine, 0), 1);
  assert.ok(Math.abs(at(cosine, 50) - (0.1 + 0.9 / 2)) < 1e-12);
  assert.equal(at(cosine, 100), 0.1);
  assert.equal(at(cosine, 200), 0.1);
});

test('cosine: a linear rise before it', () => {
  const warmed = { name: 'cosine', lr: 1, min_lr: 0.1, warmup_updates: 10 };
  assert.equal(at(warmed, 0), 1 / 10);
  assert.equal(at(warmed, 9), 1);
  assert.equal(at(warmed, 10), 1);
});

test('cycles fill a run of any length, and after it the lowest rate stays', () => {
  const restarts = { name: 'warm_restarts', lr: 1, min_lr: 0.1, cycles: 3, growth: 2 };
  // 100 updates in parts of 1, 2 and 4 of 7: the second cycle begins at 14.3, the third at 42.9.
  assert.ok(at(restarts, 14) < 0.11 && at(restarts, 15) > 0.99, `${at(restarts, 14)} and ${at(restarts, 15)}`);
  assert.ok(at(restarts, 42) < 0.11 && at(restarts, 43) > 0.99, `${at(restarts, 42)} and ${at(restarts, 43)}`);
  assert.equal(at(restarts, 100), 0.1);
  assert.equal(at(restarts, 500), 0.1);
  const cyclical = { name: 'cyclical', lr: 1, min_lr: 0.1, cycles: 3, shrink: 0.5 };
  assert.ok(Math.abs(at(cyclical, 50) - (0.1 + 0.9 / 2)) < 1e-12, 'the middle of the second');
  assert.equal(at(cyclical, 100), 0.1);
  assert.equal(at(cyclical, 500), 0.1);
});

test('one cycle begins, peaks and ends where it says, also in the shortest run', () => {
  const cycle = { name: 'one_cycle', lr: 1, min_lr: 0.001, start: 0.04, rise: 0.3 };
  assert.ok(Math.abs(at(cycle, 0) - 0.04) < 1e-12);
  assert.ok(Math.abs(at(cycle, 29) - 1) < 1e-12);
  assert.ok(Math.abs(at(cycle, 99) - 0.001) < 1e-12);
  const schedule = buildSchedule(scheduleConfig.parse(cycle));
  for (const updates of [1, 2, 3]) {
    const rates = Array.from({ length: updates }, (_, update) => schedule({ update, updates, epoch: 0, scores: [] }));
    assert.ok(
      rates.every((rate) => rate > 0 && rate <= 1),
      `${rates}`,
    );
  }
});

test('the plateau by hand: it falls after one epoch more than its patience', () => {
  const schedule = buildSchedule(scheduleConfig.parse({ name: 'plateau', lr: 1, patience: 2, factor: 0.5 }));
  const after = (scores: number[]) => schedule({ update: 0, updates: 1, epoch: scores.length, scores });
  assert.equal(after([0.5, 0.5, 0.5]), 1);
  assert.equal(after([0.5, 0.5, 0.5, 0.5]), 0.5);
  assert.equal(after([0.5, 0.5, 0.5, 0.6]), 1, 'a better one in time');
  assert.equal(after([0.5, 0.5, 0.5, 0.50005]), 0.5, 'not better by more than the threshold');
});
