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

/** Images that stay together, and how many they are: all, positives, and positives of each class of mask size. */
interface Group {
  images: readonly FoldImage[];
  counts: readonly number[];
  /** Which hundredth of the masks its largest one is in; 0 where classes are too coarse for that. */
  hundredth: number;
}

/** Masks are balanced by tenths of their areas where the smallest fold gets at least so many of each, else by thirds. */
const LEAST_OF_A_DECILE = 5;

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
  const foldOf = assignGroups(images, groups, { names, shares, seed: options.seed, fixed: new Map() });
  const empty = names.find((name) => ![...foldOf.values()].includes(name));
  if (empty !== undefined) {
    throw new UserError(`Fold ${empty} would be empty: ${groups.length} groups are too few for these shares.`);
  }
  return images.map(({ id, patientId }) => ({ imageId: id, fold: foldOf.get(id)!, patientId }));
}

/** The folds to fill, and how full: by name and share of the images, with the images whose fold is given. */
export interface FoldTargets {
  names: readonly number[];
  shares: readonly number[];
  seed: number;
  /** The fold of images that have one already; their groups go there, before all others. */
  fixed: ReadonlyMap<string, number>;
}

/** Which fold each image goes to, by id; see drawFolds. A group with images in several folds goes where most of them are. */
export function assignGroups(
  images: readonly FoldImage[],
  groups: readonly (readonly FoldImage[])[],
  { names, shares, seed, fixed }: FoldTargets,
): Map<string, number> {
  const strata = strataOf(images, Math.min(...shares));
  const counted = groups.map(
    (images): Group => ({ images, counts: strata.count(images), hundredth: strata.hundredth(images) }),
  );
  const shuffled = createRng(seed, 'folds').shuffle(counted);
  // Masks of like size after one another go to one fold each: so folds agree within the tenths too.
  const largestFirst = shuffled.sort((a, b) => b.images.length - a.images.length || b.hundredth - a.hundredth);
  const totals = strata.count(images);
  const filled = shares.map(() => totals.map(() => 0));
  const foldOf = new Map<string, number>();
  const put = ({ images: together, counts }: Group, best: number) => {
    for (const { id } of together) foldOf.set(id, fixed.get(id) ?? names[best]!);
    filled[best] = filled[best]!.map((value, i) => value + counts[i]!);
  };
  const isFixed = ({ images: together }: Group) => together.some(({ id }) => fixed.has(id));
  for (const group of largestFirst.filter(isFixed)) put(group, names.indexOf(mostOften(group.images, fixed)));
  for (const group of largestFirst.filter((each) => !isFixed(each))) {
    const costs = shares.map((share, fold) => costOfAdding(group.counts, filled[fold]!, totals, share));
    put(group, costs.indexOf(Math.min(...costs)));
  }
  return foldOf;
}

/** Images of one patient together, in the order of their first; without `patient`, or without a patient, each alone. */
export function groupImages(images: readonly FoldImage[], group: DrawOptions['group']): FoldImage[][] {
  const byKey = new Map<string, FoldImage[]>();
  for (const image of images) {
    const key = group === 'patient' && image.patientId !== '' ? `patient ${image.patientId}` : `image ${image.id}`;
    const others = byKey.get(key);
    if (others === undefined) byKey.set(key, [image]);
    else others.push(image);
  }
  return [...byKey.values()];
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

/** Of the given folds of a group, the one that most of its images are in; the lowest among equals. */
function mostOften(together: readonly FoldImage[], fixed: ReadonlyMap<string, number>): number {
  const folds = together.flatMap(({ id }) => fixed.get(id) ?? []).sort((a, b) => a - b);
  const often = (fold: number) => folds.filter((each) => each === fold).length;
  return folds.reduce((best, fold) => (often(fold) > often(best) ? fold : best));
}

/** What is balanced between folds: images, positives, and positives of each class of mask size. */
function strataOf(images: readonly FoldImage[], smallestShare: number) {
  const areas = images.filter(({ positive }) => positive).map(({ maskArea }) => maskArea);
  areas.sort((a, b) => a - b);
  const fine = areas.length * smallestShare >= 10 * LEAST_OF_A_DECILE;
  const limits = limitsOf(areas, fine ? 10 : 3);
  const hundredths = fine ? limitsOf(areas, 100) : [];
  const count = (some: readonly FoldImage[]): number[] => {
    const counts = [some.length, ...new Array<number>(2 + limits.length).fill(0)];
    for (const { positive, maskArea } of some) {
      if (!positive) continue;
      counts[1]! += 1;
      counts[2 + classOf(maskArea, limits)]! += 1;
    }
    return counts;
  };
  const hundredth = (some: readonly FoldImage[]) =>
    classOf(Math.max(...some.map(({ positive, maskArea }) => (positive ? maskArea : 0))), hundredths);
  return { count, hundredth };
}

/** Where each of so many equal parts of sorted areas begins, without the first. */
function limitsOf(areas: readonly number[], parts: number): number[] {
  return Array.from({ length: parts - 1 }, (_, i) => areas[Math.floor(((i + 1) / parts) * areas.length)] ?? 0);
}

function classOf(area: number, limits: readonly number[]): number {
  return limits.filter((limit) => area >= limit).length;
}

/** By how much the chi-square distance to the targets, the sum of (count - target)² / target, grows. */
function costOfAdding(counts: readonly number[], filled: readonly number[], totals: readonly number[], share: number) {
  return counts.reduce((cost, count, i) => {
    const target = totals[i]! * share;
    if (target === 0) return cost;
    return cost + (count * (2 * (filled[i]! - target) + count)) / target;
  }, 0);
}
