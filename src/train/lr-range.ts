/** One update of a range test. */
export interface LrPoint {
  lr: number;
  /** Of the batches of this update, before it. */
  loss: number;
  /** The losses up to here, older ones weighing less. */
  smoothed: number;
}

/** What a range test says. */
export interface LrAdvice {
  /** Where the smoothed loss falls fastest by factors of the rate; undefined where it never falls. */
  steepest: number | undefined;
  /** Where the smoothed loss is lowest. */
  lowest: number;
  /** The rate to begin with: a tenth of the lowest's, where it still falls, and no more than the steepest's where that is less. */
  suggestion: number;
}

/** Share of the smoothed loss that stays at each update. */
const SMOOTHING = 0.9;
/** A smoothed loss of this many times the lowest has left all reason behind. */
const DIVERGED = 4;
/** The first points are hardly smoothed: a lucky batch among them is no low loss. */
const UNSMOOTHED = 10;
/** The share of all updates, at either side, between which the slope is taken. */
const REACH = 0.06;
/** The lowest loss is seldom a rate to train with: it stands where the next updates diverge. */
const BELOW_LOWEST = 10;

/** The rate of each of so many updates, growing by one factor from the first to the last (Smith, 2017, section 3.3). */
export function rangeRates({ from, to, updates }: { from: number; to: number; updates: number }): number[] {
  return Array.from({ length: updates }, (_, i) => from * (to / from) ** (updates === 1 ? 0 : i / (updates - 1)));
}

/** The losses smoothed by exponential weights that sum to one from the first on. */
export function addPoint(points: readonly LrPoint[], lr: number, loss: number): LrPoint[] {
  const bias = (count: number) => 1 - SMOOTHING ** count;
  const before = points.length === 0 ? 0 : points.at(-1)!.smoothed * bias(points.length);
  const smoothed = (SMOOTHING * before + (1 - SMOOTHING) * loss) / bias(points.length + 1);
  return [...points, { lr, loss, smoothed }];
}

/** Whether there is no more to learn from higher rates. */
export function hasDiverged(points: readonly LrPoint[]): boolean {
  const last = points.at(-1);
  if (last === undefined) return false;
  if (!Number.isFinite(last.loss)) return true;
  return last.smoothed > DIVERGED * Math.min(...points.slice(UNSMOOTHED).map(({ smoothed }) => smoothed));
}

/** Reads a range test. Throws where no loss is a number. */
export function readRange(all: readonly LrPoint[]): LrAdvice {
  const points = all.filter(({ smoothed }) => Number.isFinite(smoothed));
  if (points.length === 0) throw new Error('Expected losses that are numbers for a range of rates but received none.');
  const first = Math.min(UNSMOOTHED, points.length - 1);
  const lowest = points.slice(first).reduce((best, point) => (point.smoothed < best.smoothed ? point : best));
  const until = points.indexOf(lowest);
  const reach = Math.ceil(REACH * points.length);
  let steepest: { lr: number; slope: number } | undefined;
  for (let i = first + reach; i + reach <= until; i++) {
    const [before, after] = [points[i - reach]!, points[i + reach]!];
    const slope = (after.smoothed - before.smoothed) / Math.log(after.lr / before.lr);
    if (slope < (steepest?.slope ?? 0)) steepest = { lr: points[i]!.lr, slope };
  }
  const suggestion = Math.min(lowest.lr / BELOW_LOWEST, steepest?.lr ?? Number.POSITIVE_INFINITY);
  return { steepest: steepest?.lr, lowest: lowest.lr, suggestion };
}
