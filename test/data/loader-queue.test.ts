import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  claimPlace,
  countBatches,
  countImages,
  createQueue,
  finishPlace,
  isWhole,
  leavePass,
  releaseBatch,
  stopPass,
  threadsAtWork,
} from '../../src/data/loader-queue.ts';

test('places are given out once and in order, and a batch is whole when its last image is there', () => {
  const queue = createQueue({ images: 5, batchSize: 2, slots: 3 }, 1);
  assert.equal(countBatches(queue), 3);
  assert.deepEqual(
    [0, 1, 2].map((batch) => countImages(queue, batch)),
    [2, 2, 1],
  );
  const places = [0, 1, 2, 3, 4].map(() => claimPlace(queue));
  assert.deepEqual(places, [0, 1, 2, 3, 4]);
  assert.equal(claimPlace(queue), undefined);
  assert.equal(isWhole(queue, 0), false);
  // In an order of their own: the last batch first.
  assert.deepEqual(
    [4, 1, 3, 0, 2].map((place) => finishPlace(queue, place)),
    [true, false, false, true, true],
  );
  assert.ok(isWhole(queue, 0) && isWhole(queue, 1) && isWhole(queue, 2));
});

test('a slot is empty again once its batch was given back', () => {
  const queue = createQueue({ images: 3, batchSize: 1, slots: 2 }, 1);
  for (const place of [claimPlace(queue)!, claimPlace(queue)!]) finishPlace(queue, place);
  assert.equal(isWhole(queue, 0), true);
  releaseBatch(queue);
  assert.equal(isWhole(queue, 2), false, 'it shares the slot of batch 0');
  assert.equal(isWhole(queue, 1), true);
  // Does not block any more.
  finishPlace(queue, claimPlace(queue)!);
  assert.equal(isWhole(queue, 2), true);
});

test('a stopped pass gives out no place, not even to one that would wait', () => {
  const queue = createQueue({ images: 9, batchSize: 1, slots: 1 }, 2);
  assert.equal(claimPlace(queue), 0);
  stopPass(queue);
  assert.equal(claimPlace(queue), undefined);
  leavePass(queue);
  assert.equal(threadsAtWork(queue), 1);
});
