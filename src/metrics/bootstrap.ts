import { createRng } from '../core/random.ts';
import { sumOf } from './sum.ts';

/** A mean over images and the 95 % interval of the true one. `low` and `high` are NaN where there are fewer than two groups. */
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

/** The standard normal's 97.5 % point. */
const Z = 1.959963984540054;

/**
 * The mean of one score for each image, and the 95 % interval of the true mean by the bootstrap. Images of one group (a patient's)
 * resemble one another, so whole groups are drawn, with replacement, and their images' mean is taken over what they bring.
 * `groups` names each image's group, in the scores' order; an image whose patient is unknown is a group of its own.
 * The interval is the percentile's, widened where groups are few; how often it holds the truth is measured in
 * test/metrics/bootstrap.long.ts.
 * Sources: Efron and Tibshirani (1993), An Introduction to the Bootstrap, ch. 13; Field and Welsh (2007), JRSS B 69 (groups);
 * Hesterberg (2015), The American Statistician 69 (widening).
 */
export function bootstrapMean(
  scores: ArrayLike<number>,
  groups: ArrayLike<number | string>,
  resampling: Resampling = {},
): Estimate {
  return estimate(scores, drawMeans(scores, groups, resampling));
}

/**
 * How much better `second` scores than `first` on the same images, paired: the bootstrap of the mean of each image's difference,
 * drawn as in `bootstrapMean`. What makes an image hard for both falls out, so the interval is far narrower than of either mean.
 */
export function bootstrapDifference(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  groups: ArrayLike<number | string>,
  resampling: Resampling = {},
): Difference {
  if (first.length !== second.length) throw new RangeError(`${first.length} scores beside ${second.length}`);
  const differences = Float64Array.from(second, (score, index) => score - first[index]!);
  const drawn = drawMeans(differences, groups, resampling);
  const above = drawn.means.reduce((sum, mean) => sum + (mean > 0 ? 1 : mean === 0 ? 0.5 : 0), 0);
  return { ...estimate(differences, drawn), probability: above / drawn.means.length };
}

interface Drawn {
  /** Of each replicate, ascending. */
  means: Float64Array;
  groups: number;
}

function drawMeans(
  scores: ArrayLike<number>,
  groups: ArrayLike<number | string>,
  { seed = 42, replicates = 2000 }: Resampling,
): Drawn {
  if (scores.length !== groups.length) throw new RangeError(`${scores.length} scores with ${groups.length} groups`);
  const { sums, counts } = sumGroups(scores, groups);
  const rng = createRng(seed, 'bootstrap');
  const means = new Float64Array(replicates);
  for (let replicate = 0; replicate < replicates; replicate++) {
    let sum = 0;
    let count = 0;
    for (let draw = 0; draw < sums.length; draw++) {
      const group = rng.integer(0, sums.length - 1);
      sum += sums[group]!;
      count += counts[group]!;
    }
    means[replicate] = sum / count;
  }
  return { means: means.sort(), groups: sums.length };
}

function sumGroups(scores: ArrayLike<number>, groups: ArrayLike<number | string>) {
  const places = new Map<number | string, number>();
  const [sums, counts]: [number[], number[]] = [[], []];
  for (let image = 0; image < scores.length; image++) {
    const group = groups[image]!;
    const place = places.get(group) ?? places.size;
    places.set(group, place);
    sums[place] = (sums[place] ?? 0) + scores[image]!;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return { sums, counts };
}

function estimate(scores: ArrayLike<number>, { means, groups }: Drawn): Estimate {
  const mean = sumOf(Array.from(scores)) / scores.length;
  if (groups < 2) return { mean, low: Number.NaN, high: Number.NaN };
  const tail = tailOf(groups);
  return { mean, low: quantile(means, tail), high: quantile(means, 1 - tail) };
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
