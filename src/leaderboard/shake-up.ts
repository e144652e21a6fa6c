import { createRng } from '../core/random.ts';
import { ranksOf } from '../metrics/rank-correlation.ts';

/** What to expect when a public board shows a part of the images and the rest decides. */
export interface ShakeUp {
  /** The part of the images that is public, in (0, 1). */
  share: number;
  /** How probable it is that the best on the public part is the best on the rest. */
  sameBest: number;
  /** By how many ranks a submission moves, in the mean. */
  ranksMoved: number;
  /** The standard deviation of a submission's private score minus its public one. */
  deviation: number;
}

const SPLITS = 1000;

/**
 * Splits the images at random, again and again, into a public part and the rest, and looks at who leads on both.
 * @param scores of each submission, of each image, in one order; at least two submissions.
 */
export function expectShakeUp(scores: readonly ArrayLike<number>[], share: number, seed = 42): ShakeUp {
  const images = scores[0]!.length;
  const shown = Math.min(images - 1, Math.max(1, Math.round(share * images)));
  const totals = scores.map((each) => Array.from(each).reduce((sum, dice) => sum + dice, 0));
  const order = Int32Array.from({ length: images }, (_, image) => image);
  const rng = createRng(seed, 'shake-up', share);
  let [same, moved, squares] = [0, 0, 0];
  for (let split = 0; split < SPLITS; split++) {
    // The first places of a shuffle that goes on from the last one are as random as those of a new one.
    for (let place = 0; place < shown; place++) {
      const other = rng.integer(place, images - 1);
      [order[place], order[other]] = [order[other]!, order[place]!];
    }
    const sums = scores.map((each) => sumOver(each, order, shown));
    const onPublic = sums.map((sum) => sum / shown);
    const onPrivate = sums.map((sum, submission) => (totals[submission]! - sum) / (images - shown));
    same += shareOfLeaders(onPublic, onPrivate);
    const [before, after] = [ranksOf(onPublic), ranksOf(onPrivate)];
    for (const [submission, rank] of before.entries()) {
      moved += Math.abs(after[submission]! - rank);
      squares += (onPrivate[submission]! - onPublic[submission]!) ** 2;
    }
  }
  const count = SPLITS * scores.length;
  return { share, sameBest: same / SPLITS, ranksMoved: moved / count, deviation: Math.sqrt(squares / count) };
}

function sumOver(scores: ArrayLike<number>, order: Int32Array, count: number): number {
  let sum = 0;
  for (let place = 0; place < count; place++) sum += scores[order[place]!]!;
  return sum;
}

/** Of those that lead on the public part, the share that lead on the rest too: one of several is chosen blindly. */
function shareOfLeaders(onPublic: readonly number[], onPrivate: readonly number[]): number {
  const leads = (scores: readonly number[]) => scores.map((score) => score === Math.max(...scores));
  const [before, after] = [leads(onPublic), leads(onPrivate)];
  return before.filter((lead, place) => lead && after[place]).length / before.filter(Boolean).length;
}
