import { createRng, type Rng } from '../core/random.ts';
import { sumOf } from './sum.ts';

/** A mean over images and the 95 % interval of the true one; all but the mean are NaN where there are fewer than two groups. */
export interface Estimate {
  mean: number;
  low: number;
  high: number;
}

/** How much better the second of two is: the mean of second minus first. */
export interface Difference extends Estimate {
  /** That the second is truly better: the share of replicates in which it is, equal ones counting a half; in [0, 1]. */
  probability: number;
}

/** How a bootstrap is drawn: the same seed gives the same figures to the bit. */
export interface Resampling {
  seed?: number;
  /** How often the groups are drawn anew. */
  replicates?: number;
}

/** Images whose groups were drawn; every score is a number for each image, in the images' order. */
export interface Bootstrap {
  /** Of the images for which `kept` holds; of all when it is left out. */
  mean(scores: ArrayLike<number>, kept?: ArrayLike<boolean>): Estimate;
  /** How much better `second` scores than `first`, image by image. */
  difference(first: ArrayLike<number>, second: ArrayLike<number>, kept?: ArrayLike<boolean>): Difference;
}

/** The standard normal's 97.5 % point. */
const Z = 1.959963984540054;

/**
 * Draws the groups of images for means and differences of any number of scores. Images of one group (a patient's) resemble one
 * another, so whole groups are drawn, with replacement, and the mean is taken over the images that they bring. `groups` names each
 * image's group; an image whose patient is unknown is a group of its own.
 * The interval is the percentile's, widened where groups are few; how often it holds the truth is measured in
 * test/metrics/bootstrap.long.ts.
 * Sources: Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 13; Field and Welsh (2007), JRSS B 69 (groups);
 * Hesterberg (2015), The American Statistician 69 (widening).
 */
export function createBootstrap(
  groups: ArrayLike<number | string>,
  { seed = 42, replicates = 2000 }: Resampling = {},
): Bootstrap {
  const places = placeGroups(groups);
  const drawn = drawGroups(places.count, replicates, createRng(seed, 'bootstrap'));
  // Half of the work, and the same for every score on the same images.
  const imagesDrawn = new Map<ArrayLike<boolean> | undefined, Float64Array>();
  const estimate = (scores: ArrayLike<number>, kept?: ArrayLike<boolean>, from = 0) => {
    if (scores.length !== groups.length) throw new RangeError(`${scores.length} scores with ${groups.length} groups`);
    const { sums, counts, mean, groups: present } = sumGroups(scores, places, from, kept);
    const images = imagesDrawn.get(kept) ?? timesDrawn(drawn, counts);
    imagesDrawn.set(kept, images);
    const means = ratios(timesDrawn(drawn, sums), images).sort();
    const { low, high } = intervalOf(means, present);
    return { means, estimate: { mean, low: from + low, high: from + high } };
  };
  return {
    // Counted from 1, which most images score: then most groups have nothing to be summed.
    mean: (scores, kept) => estimate(scores, kept, 1).estimate,
    difference: (first, second, kept) => {
      if (first.length !== second.length) throw new RangeError(`${first.length} scores beside ${second.length}`);
      const differences = Float64Array.from(second, (score, image) => score - first[image]!);
      const { means, estimate: found } = estimate(differences, kept);
      const above = means.reduce((sum, mean) => sum + (mean > 0 ? 1 : mean === 0 ? 0.5 : 0), 0);
      return { ...found, probability: Number.isNaN(found.low) ? Number.NaN : above / means.length };
    },
  };
}

/** The mean of scores with its interval; see createBootstrap, which is for more than one list of scores. */
export function bootstrapMean(
  scores: ArrayLike<number>,
  groups: ArrayLike<number | string>,
  resampling: Resampling = {},
): Estimate {
  return createBootstrap(groups, resampling).mean(scores);
}

/**
 * How much better `second` scores than `first` on the same images, paired: what makes an image hard for both falls out, so the
 * interval is far narrower than of either mean. See createBootstrap.
 */
export function bootstrapDifference(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  groups: ArrayLike<number | string>,
  resampling: Resampling = {},
): Difference {
  return createBootstrap(groups, resampling).difference(first, second);
}

interface Places {
  /** Of each image, the place of its group, from 0. */
  of: Int32Array;
  /** How many groups there are. */
  count: number;
}

function placeGroups(groups: ArrayLike<number | string>): Places {
  const places = new Map<number | string, number>();
  const of = Int32Array.from(groups as ArrayLike<unknown> as number[], (group) => {
    const place = places.get(group) ?? places.size;
    places.set(group, place);
    return place;
  });
  return { of, count: places.size };
}

/**
 * How often each group is drawn in each replicate, [replicates, groups]: all scores share the same draws. A byte is enough: that
 * one of 256 or more groups be drawn 256 times has a probability below 1e-250.
 */
function drawGroups(count: number, replicates: number, rng: Rng): Uint8Array[] {
  return Array.from({ length: replicates }, () => {
    const times = new Uint8Array(count);
    for (let draw = 0; draw < count; draw++) times[rng.integer(0, count - 1)]!++;
    return times;
  });
}

/** The mean of the scores kept, and by group how many they are and how far they are together from `from`. */
function sumGroups(scores: ArrayLike<number>, { of, count }: Places, from: number, kept?: ArrayLike<boolean>) {
  const sums = new Float64Array(count);
  const counts = new Float64Array(count);
  const used: number[] = [];
  for (let image = 0; image < scores.length; image++) {
    if (kept !== undefined && !kept[image]) continue;
    sums[of[image]!]! += scores[image]! - from;
    counts[of[image]!]! += 1;
    used.push(scores[image]!);
  }
  const groups = counts.reduce((sum, images) => sum + Number(images > 0), 0);
  return { sums, counts, mean: sumOf(used) / used.length, groups };
}

/**
 * Of each replicate, the sum over its groups. Groups without a value are passed over: most patients score alike with both of two
 * models. Four replicates at a time take a third of the time, since each value is fetched once for them.
 */
function timesDrawn(drawn: readonly Uint8Array[], values: Float64Array): Float64Array {
  const used = Int32Array.from([...values.keys()].filter((group) => values[group] !== 0));
  const sums = new Float64Array(drawn.length);
  for (let first = 0; first < drawn.length; first += 4) {
    const [a, b = a, c = a, d = a] = drawn.slice(first, first + 4);
    let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
    for (let place = 0; place < used.length; place++) {
      const group = used[place]!;
      const value = values[group]!;
      sumA += a![group]! * value;
      sumB += b![group]! * value;
      sumC += c![group]! * value;
      sumD += d![group]! * value;
    }
    sums.set([sumA, sumB, sumC, sumD].slice(0, drawn.length - first), first);
  }
  return sums;
}

/** Replicates that brought no image at all are left out. */
function ratios(sums: Float64Array, counts: Float64Array): Float64Array {
  return sums.map((sum, replicate) => sum / counts[replicate]!).filter((mean) => !Number.isNaN(mean));
}

function intervalOf(means: Float64Array, groups: number): Pick<Estimate, 'low' | 'high'> {
  if (groups < 2) return { low: Number.NaN, high: Number.NaN };
  const tail = tailOf(groups);
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/**
 * The share of replicates to leave off at each end: 2.5 %, less where groups are few. n groups drawn anew spread by (n - 1) / n of
 * what they should, and with few of them t takes the place of z (its first terms by Cornish and Fisher).
 */
function tailOf(groups: number): number {
  const freedom = groups - 1;
  const t = Z * (1 + (Z ** 2 + 1) / (4 * freedom) + (5 * Z ** 4 + 16 * Z ** 2 + 3) / (96 * freedom ** 2));
  return belowNormal(-t * Math.sqrt(groups / freedom));
}

/** The standard normal's distribution function below 0, to 1.5e-7. Source: Abramowitz and Stegun (1964), 7.1.26. */
function belowNormal(z: number): number {
  const x = -z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return 0.5 * series * Math.exp(-x * x);
}

/** The value below which a share of ascending values lies, linear between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const before = Math.floor(place);
  const after = Math.min(before + 1, sorted.length - 1);
  return sorted[before]! + (place - before) * (sorted[after]! - sorted[before]!);
}
