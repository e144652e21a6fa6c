import type { ComparedContender, ComparedSet } from './comparison.ts';

/** An image on which contenders are far apart. */
export interface Disagreement {
  id: string;
  positive: boolean;
  /** What each of the contenders scores, in their order. */
  dice: number[];
}

/** As many contenders are looked at, the baseline first: pictures of more are too small to see anything. */
const SEEN = 4;

/** The baseline and the best others. */
export function seenContenders({ contenders, baseline }: ComparedSet): ComparedContender[] {
  return [baseline, ...contenders.filter((contender) => contender !== baseline)].slice(0, SEEN);
}

/** The images whose best and worst Dice are farthest apart, the farthest first; equal ones by id. Images that agree are none. */
export function findDisagreements(set: ComparedSet, most: number): Disagreement[] {
  const seen = seenContenders(set);
  const images = set.ids.map((id, image) => ({
    id,
    positive: set.positive[image]!,
    dice: seen.map(({ imageDice }) => imageDice[image]!),
  }));
  return images
    .filter((image) => rangeOf(image) > 0)
    .sort((a, b) => rangeOf(b) - rangeOf(a) || (a.id < b.id ? -1 : 1))
    .slice(0, most);
}

function rangeOf({ dice }: Disagreement): number {
  return Math.max(...dice) - Math.min(...dice);
}
