import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ascendingAreas, farShare, sayAreas } from '../../src/submit/mask-areas.ts';
import { recordingTerminal } from '../data/fixture-competition.ts';

const masks = (positives: number, images: number) => ({ images, areas: Array.from({ length: positives }, () => 900) });

test('a share of masks is far where it is half or one and a half times the labelled images’, beyond chance', () => {
  const labelled = masks(222, 1000);
  for (const positives of [250, 140, 330]) assert.equal(farShare(masks(positives, 1000), labelled), undefined);
  assert.match(
    farShare(masks(100, 1000), labelled)!,
    /^10\.0 % of the images have a mask, of the labelled ones 22\.2 %/,
  );
  assert.match(farShare(masks(400, 1000), labelled)!, /^40\.0 %/);
  assert.equal(farShare(masks(1, 10), labelled), undefined, 'ten images prove nothing');
  assert.match(farShare(masks(0, 1000), labelled)!, /^0\.0 %/);
});

test('areas stand beside the labelled images’', () => {
  const terminal = recordingTerminal();
  const runs = [Int32Array.of(0, 10), Int32Array.of(), Int32Array.of(5, 8, 10, 12)];
  assert.deepEqual(ascendingAreas(runs), [5, 10]);
  sayAreas(runs, masks(222, 1000), terminal);
  assert.deepEqual(terminal.lines, [
    'masks of     the submission: 2 of 3 (66.7 %); pixels: 5 % below 5, median 10, 95 % below 10',
    '             the labelled images: 222 of 1000 (22.2 %); pixels: 5 % below 900, median 900, 95 % below 900',
  ]);
});
