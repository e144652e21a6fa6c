import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEpochWatch } from '../../src/train/epoch-watch.ts';

test('waiting is the time until an item is there, and not what is done with it', async () => {
  let time = 1000;
  // Each item takes 10 ms to come and 90 ms to use; that there is no fourth takes 20 ms to know.
  async function* items() {
    for (const item of ['a', 'b', 'c']) {
      time += 10;
      yield item;
    }
    time += 20;
  }
  const watch = createEpochWatch(() => time);
  const seen: string[] = [];
  for await (const item of watch.waiting(items())) {
    seen.push(item);
    time += 90;
  }
  assert.deepEqual(seen, ['a', 'b', 'c']);
  time += 180;
  // 3·10 + 20 of 3·100 + 20 + 180 ms; 8 images in half a second.
  assert.deepEqual(watch.metrics(8), { 'system/data_wait_fraction': 0.1, 'system/images_per_second': 16 });
});

test('an epoch that never waited waited for nothing', async () => {
  let time = 0;
  const watch = createEpochWatch(() => time);
  async function* one() {
    yield 1;
  }
  for await (const _ of watch.waiting(one())) time += 250;
  assert.deepEqual(watch.metrics(1), { 'system/data_wait_fraction': 0, 'system/images_per_second': 4 });
});
