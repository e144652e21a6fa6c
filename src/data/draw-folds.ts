import { expected, UserError } from '../core/errors.ts';
import { createRng } from '../core/random.ts';
import type { FoldRow } from './folds.ts';

/** A labelled image to be put in a fold. */
export interface FoldImage {
  id: string;
  /** '' where no patient is known: the image is then a group of its own. */
  patientId: string;
  positive: boolean;
  /** Pixels at MASK_SIZE². */
  maskArea: number;
}

export interface DrawOptions {
  /** The share that is held out as fold 0; all others get -1. Either this or `k`. */
  holdout?: number;
  /** The number of folds, 0 to k - 1. */
  k?: number;
  /** `patient` keeps all images of a patient in one fold. */
  group: 'patient' | 'none';
  seed: number;
}

/** Images that stay together, and how many they are: all, positives, and positives with a small, middle or large mask. */
interface Group {
  images: FoldImage[];
  counts: number[];
}

/**
 * Draws folds that match in size, in the share of positives and in the sizes of their masks: whole groups, shuffled by
 * the seed, largest first, each go where they bring the counts closest to their targets (as in scikit-learn's
 * StratifiedGroupKFold, with the chi-square distance). Rows come in the order of the images.
 * Throws UserError where the share or number of folds is impossible for so many groups.
 */
export function drawFolds(images: readonly FoldImage[], options: DrawOptions): FoldRow[] {
  const { names, shares } = targetsOf(options);
  const groups = groupImages(images, options.group);
  if (groups.length < names.length) {
    const what = options.group === 'patient' ? 'patients' : 'images';
    throw new UserError(expected(`at least ${names.length} ${what}`, 'the folds', groups.length));
  }
  const shuffled = createRng(options.seed, 'folds').shuffle(groups);
  const largestFirst = shuffled.sort((a, b) => b.images.length - a.images.length);
  const foldOf = assign(largestFirst, shares);
  const empty = names.find((_, index) => ![...foldOf.values()].includes(index));
  if (empty !== undefined) {
    throw new UserError(`Fold ${empty} would be empty: ${groups.length} groups are too few for these shares.`);
  }
  return images.map(({ id, patientId }) => ({ imageId: id, fold: names[foldOf.get(id)!]!, patientId }));
}

function targetsOf({ holdout, k }: DrawOptions): { names: number[]; shares: number[] } {
  if (k !== undefined && holdout !== undefined) throw new UserError('Give either holdout or k, not both.');
  if (k !== undefined) {
    if (!Number.isInteger(k) || k < 2) throw new UserError(expected('a whole number of at least 2', 'k', k));
    return { names: Array.from({ length: k }, (_, fold) => fold), shares: new Array<number>(k).fill(1 / k) };
  }
  if (holdout === undefined || !(holdout > 0 && holdout < 1)) {
    throw new UserError(expected('a share between 0 and 1', 'holdout', holdout));
  }
  return { names: [-1, 0], shares: [1 - holdout, holdout] };
}

function groupImages(images: readonly FoldImage[], group: DrawOptions['group']): Group[] {
  const tertiles = maskTertiles(images);
  const byKey = new Map<string, FoldImage[]>();
  for (const image of images) {
    const key = group === 'patient' && image.patientId !== '' ? `patient ${image.patientId}` : `image ${image.id}`;
    const others = byKey.get(key);
    if (others === undefined) byKey.set(key, [image]);
    else others.push(image);
  }
  return [...byKey.values()].map((together) => ({ images: together, counts: countStrata(together, tertiles) }));
}

/** The mask areas that part the positives into small, middle and large. */
function maskTertiles(images: readonly FoldImage[]): [number, number] {
  const areas = images.filter(({ positive }) => positive).map(({ maskArea }) => maskArea);
  areas.sort((a, b) => a - b);
  const at = (share: number) => areas[Math.floor(share * areas.length)] ?? 0;
  return [at(1 / 3), at(2 / 3)];
}

function countStrata(images: readonly FoldImage[], [low, high]: [number, number]): number[] {
  const counts = [images.length, 0, 0, 0, 0];
  for (const { positive, maskArea } of images) {
    if (!positive) continue;
    const size = maskArea < low ? 0 : maskArea < high ? 1 : 2;
    counts[1]! += 1;
    counts[2 + size]! += 1;
  }
  return counts;
}

/** Which fold (an index into the shares) each image goes to. */
function assign(groups: readonly Group[], shares: readonly number[]): Map<string, number> {
  const totals = groups.reduce((sum, { counts }) => sum.map((value, i) => value + counts[i]!), [0, 0, 0, 0, 0]);
  const filled = shares.map(() => [0, 0, 0, 0, 0]);
  const foldOf = new Map<string, number>();
  for (const { images, counts } of groups) {
    const costs = shares.map((share, fold) => costOfAdding(counts, filled[fold]!, totals, share));
    const best = costs.indexOf(Math.min(...costs));
    for (const { id } of images) foldOf.set(id, best);
    filled[best] = filled[best]!.map((value, i) => value + counts[i]!);
  }
  return foldOf;
}

/** By how much the chi-square distance to the targets, the sum of (count - target)² / target, grows. */
function costOfAdding(counts: readonly number[], filled: readonly number[], totals: readonly number[], share: number) {
  return counts.reduce((cost, count, i) => {
    const target = totals[i]! * share;
    if (target === 0) return cost;
    return cost + (count * (2 * (filled[i]! - target) + count)) / target;
  }, 0);
}
