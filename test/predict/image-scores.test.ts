import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MASK_SIZE } from '../../src/core/competition.ts';
import { emptyMask } from '../../src/core/image.ts';
import { maskToRuns } from '../../src/core/rle.ts';
import { imageScoresPath, readImageScores, scoreStore, writeImageScores } from '../../src/predict/image-scores.ts';
import { createProbabilityStore, openProbabilityStore } from '../../src/predict/probability-store.ts';

const folder = await mkdtemp(join(tmpdir(), 'image-scores-'));
after(() => rm(folder, { recursive: true }));

/** A map of 2×2 whose left half is inside: at 1024² the border lies between the columns' centres. */
const LEFT = Uint8Array.of(255, 0, 255, 0);
const NOTHING = new Uint8Array(4);

async function storeOf(name: string) {
  const path = join(folder, `${name}.probs`);
  const writer = await createProbabilityStore(path, { resolution: 2, checkpoint: 'c0ffee', tta: ['none'] });
  for (const [id, map] of Object.entries({ hit: LEFT, missed: NOTHING, alarm: LEFT, quiet: NOTHING })) {
    await writer.append(id, map);
  }
  await writer.finish();
  return { path, store: await openProbabilityStore(path) };
}

const mask = emptyMask(MASK_SIZE);
for (let y = 0; y < MASK_SIZE; y++) mask.data.fill(1, y * MASK_SIZE, y * MASK_SIZE + MASK_SIZE / 2);
const half = maskToRuns(mask);
const none = maskToRuns(emptyMask(MASK_SIZE));

test('stored probabilities are scored image by image, kept beside the store and read back', async () => {
  const { path, store } = await storeOf('kept');
  const scores = scoreStore(store, (id) => (id === 'hit' || id === 'missed' ? half : none));
  store.close();
  assert.deepEqual(
    scores.images.map(({ id, dice, iou, positive, predictedPositive }) => [id, dice, iou, positive, predictedPositive]),
    [
      ['hit', 1, 1, true, true],
      ['missed', 0, 0, true, false],
      ['alarm', 0, 0, false, true],
      ['quiet', 1, 1, false, false],
    ],
  );
  const kept = imageScoresPath(path);
  assert.equal(kept, join(folder, 'kept.scores.json'));
  assert.equal(await readImageScores(kept), undefined);
  await writeImageScores(kept, scores);
  assert.deepEqual(await readImageScores(kept), scores);
  assert.equal(scores.checkpoint, 'c0ffee');
});

test('a damaged file of scores is an error that says what to do', async () => {
  const path = join(folder, 'damaged.scores.json');
  const whole = { format: 1, checkpoint: 'c', ids: ['a'], dice: [1], iou: [1], positive: [0], predicted_positive: [0] };
  for (const wrong of ['{', { ...whole, dice: [] }, { ...whole, positive: [2] }, { ...whole, format: 2 }]) {
    await writeFile(path, typeof wrong === 'string' ? wrong : JSON.stringify(wrong));
    await assert.rejects(readImageScores(path), /Expected scores of images for .*damaged.* Remove it/);
  }
});
