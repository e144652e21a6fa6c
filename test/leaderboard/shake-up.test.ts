import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { expectShakeUp } from '../../src/leaderboard/shake-up.ts';

const rng = createRng(3, 'shake-up');
const IMAGES = 1000;
const draw = (mean: number) => Array.from({ length: IMAGES }, () => Number(rng.chance(mean)));

test('a score moves by what theory says of a split without replacement', () => {
  const scores = [draw(0.8), draw(0.8)];
  const { deviation } = expectShakeUp(scores, 0.1);
  // Public minus private of a simple random split: σ·√(N / (n·(N - n)))·√(N / (N - 1)).
  const mean = scores[0]!.reduce((sum, each) => sum + each, 0) / IMAGES;
  const wanted = Math.sqrt(mean * (1 - mean)) * Math.sqrt(IMAGES / (100 * 900));
  assert.ok(Math.abs(deviation / wanted - 1) < 0.05, `${deviation} for ${wanted}`);
});

test('a submission that is better on every image leads everywhere; equal ones lead together', () => {
  const worse = draw(0.5).map((each) => each / 2);
  const better = worse.map((each) => each + 0.25);
  const sure = expectShakeUp([worse, better], 0.01);
  assert.deepEqual([sure.sameBest, sure.ranksMoved], [1, 0]);
  assert.equal(expectShakeUp([worse, worse], 0.3).sameBest, 1);
});

test('the leader of a small part stays seldom, of a larger part more often', () => {
  const many = Array.from({ length: 10 }, (_, place) => draw(0.7 + place / 50));
  const [few, half] = [expectShakeUp(many, 0.01), expectShakeUp(many, 0.5)];
  assert.ok(few.sameBest < 0.5 && few.ranksMoved > 2, `${few.sameBest} ${few.ranksMoved}`);
  assert.ok(half.sameBest > few.sameBest && half.deviation < few.deviation / 4);
  assert.deepEqual(expectShakeUp(many, 0.5), half, 'the same seed, the same splits');
});
