/** What a process that trained says of itself. */
export interface TrainFigures {
  median_ms: number;
  min_ms: number;
  peak_rss_bytes: number;
  /** Trainable ones. */
  parameters: number;
  /** Of the first step, from the shared weights. */
  first_loss: number;
  versions?: Record<string, string>;
}

/** What a process that predicted says of itself. */
export interface PredictFigures {
  images_per_second: number;
  peak_rss_bytes: number;
}

/** One row of the table over all rounds; `why` where it was not measured, or does not count. */
export interface Row {
  id: string;
  title: string;
  train?: TrainFigures;
  predict?: PredictFigures;
  why?: string;
}

/** How far, relatively, a peer's first loss may lie from ours. */
export const LOSS_TOLERANCE = 1e-3;

/** The middle value, or the mean of the two in the middle. Throws where there is none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error('Expected values for a median but received none.');
  return (low + high) / 2;
}

/** Rounds of one row as one: the median of the medians, the least of the least, the highest of the peaks. */
export function mergeTraining(rounds: readonly TrainFigures[]): TrainFigures {
  return {
    ...rounds[0]!,
    median_ms: medianOf(rounds.map(({ median_ms }) => median_ms)),
    min_ms: Math.min(...rounds.map(({ min_ms }) => min_ms)),
    peak_rss_bytes: Math.max(...rounds.map(({ peak_rss_bytes }) => peak_rss_bytes)),
  };
}

/** Rounds of one row as one: the median rate, the highest of the peaks. */
export function mergePrediction(rounds: readonly PredictFigures[]): PredictFigures {
  return {
    images_per_second: medianOf(rounds.map(({ images_per_second }) => images_per_second)),
    peak_rss_bytes: Math.max(...rounds.map(({ peak_rss_bytes }) => peak_rss_bytes)),
  };
}

/** Why a network that was trained is not the same as ours: another size, or another first loss. */
export function whyNotEqual(ours: TrainFigures, theirs: TrainFigures): string | undefined {
  if (theirs.parameters !== ours.parameters) {
    return `it has ${theirs.parameters} trainable parameters where ours has ${ours.parameters}`;
  }
  const difference = Math.abs(theirs.first_loss - ours.first_loss) / Math.abs(ours.first_loss);
  if (difference <= LOSS_TOLERANCE) return undefined;
  return `its first loss from the shared weights is ${theirs.first_loss} where ours is ${ours.first_loss}`;
}

/** A row that counts; others are left out of every ratio. */
export type CountingRow = Row & { train: TrainFigures };

/** The rows that were measured and are of the same network. */
export function countingRows(rows: readonly Row[]): CountingRow[] {
  return rows.filter((row): row is CountingRow => row.train !== undefined && row.why === undefined);
}
