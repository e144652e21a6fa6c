import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointEveryConfig } from '../../src/config/checkpoint-every.ts';
import { createCheckpointClock } from '../../src/train/checkpoint-clock.ts';

const TIMES: [every: string, ms: number][] = [
  ['30s', 30_000],
  ['15m', 900_000],
  ['2 h', 7_200_000],
];
for (const [every, ms] of TIMES) {
  test(`${every} after the last checkpoint another one is due, update or not`, () => {
    let now = 5;
    const clock = createCheckpointClock(every, () => now);
    now += ms - 1;
    assert.equal(clock.isDue({ update: 1, updated: true }), false);
    now++;
    assert.equal(clock.isDue({ update: 1, updated: false }), true);
    clock.saved();
    assert.equal(clock.isDue({ update: 2, updated: true }), false);
  });
}

test('so many updates make one due, at the update alone', () => {
  const clock = createCheckpointClock('3 updates');
  const due = [1, 2, 3, 4, 6].map((update) => clock.isDue({ update, updated: true }));
  assert.deepEqual(due, [false, false, true, false, true]);
  assert.equal(clock.isDue({ update: 3, updated: false }), false);
  assert.equal(createCheckpointClock('1 update').isDue({ update: 7, updated: true }), true);
});

test('what is no time and no count is refused', () => {
  for (const wrong of ['', '15', '0m', '-1m', '1.5h', '15 minutes', 'm']) {
    assert.equal(checkpointEveryConfig.safeParse(wrong).success, false, wrong);
  }
});
