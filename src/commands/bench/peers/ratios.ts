import { type CountingRow, countingRows, type PredictFigures, type Row } from './figures.ts';

/** Ours over a peer's: below 1 is better for time and memory, above 1 for prediction. */
export interface Ratios {
  ours: string;
  peer: string;
  time: number;
  memory: number;
  /** Left out where one of the two did not predict. */
  prediction?: number;
}

/** What the engine is to reach, and whether it did; `met` is left out where the peer that it names does not count. */
export interface Goal {
  goal: string;
  limit: number;
  value?: number;
  met?: boolean;
}

/** Every row of ours over every peer that counts. */
export function ratiosOf(rows: readonly Row[]): Ratios[] {
  const counting = countingRows(rows);
  const [ours, peers] = [counting.filter(isOurs), counting.filter((row) => !isOurs(row))];
  return ours.flatMap((own) => peers.map((peer) => ratioOf(own, peer)));
}

/** The goals for time, memory and prediction at this size. */
export function goalsOf(rows: readonly Row[]): Goal[] {
  const counting = countingRows(rows);
  const find = (id: string) => counting.find((row) => row.id === id);
  const [graph, recomputed, keras, stock] = ['graph', 'recompute', 'keras', 'stock'].map(find);
  const pytorch = counting.filter(({ id }) => id.startsWith('pytorch'));
  // Where one of the two was not measured, "the faster of both" is not known.
  const both = keras === undefined || pytorch.length === 0 ? [] : [keras, ...pytorch];
  const fastest = minimum(both.map(timeOf));
  const quickest = maximum(both.map(({ predict }) => predict?.images_per_second));
  return [
    atMost('step time over the faster of Keras and PyTorch', 0.75, timeOf(graph), fastest),
    atMost('peak memory over Keras’s', 0.9, memoryOf(graph), memoryOf(keras)),
    atMost('recomputed: peak memory over Keras’s', 0.6, memoryOf(recomputed), memoryOf(keras)),
    atMost('recomputed: step time over that without', 1.1, timeOf(recomputed), timeOf(graph)),
    atMost('recomputed: step time over stock tfjs-node’s', 0.35, timeOf(recomputed), timeOf(stock)),
    above('images per second predicted over the better of Keras and PyTorch', 1, rateOf(graph?.predict), quickest),
  ];
}

function isOurs({ id }: Row): boolean {
  return id === 'graph' || id === 'recompute';
}

function ratioOf(own: CountingRow, peer: CountingRow): Ratios {
  const [rate, theirs] = [rateOf(own.predict), rateOf(peer.predict)];
  return {
    ours: own.id,
    peer: peer.id,
    time: own.train.median_ms / peer.train.median_ms,
    memory: own.train.peak_rss_bytes / peer.train.peak_rss_bytes,
    ...(rate === undefined || theirs === undefined ? {} : { prediction: rate / theirs }),
  };
}

function atMost(goal: string, limit: number, own?: number, theirs?: number): Goal {
  const value = own === undefined || theirs === undefined ? undefined : own / theirs;
  return { goal: `${goal}, at most`, limit, ...(value === undefined ? {} : { value, met: value <= limit }) };
}

function above(goal: string, limit: number, own?: number, theirs?: number): Goal {
  const value = own === undefined || theirs === undefined ? undefined : own / theirs;
  return { goal: `${goal}, above`, limit, ...(value === undefined ? {} : { value, met: value > limit }) };
}

function timeOf(row?: CountingRow): number | undefined {
  return row?.train.median_ms;
}

function memoryOf(row?: CountingRow): number | undefined {
  return row?.train.peak_rss_bytes;
}

function rateOf(predict?: PredictFigures): number | undefined {
  return predict?.images_per_second;
}

function minimum(values: readonly (number | undefined)[]): number | undefined {
  return known(values).length === 0 ? undefined : Math.min(...known(values));
}

function maximum(values: readonly (number | undefined)[]): number | undefined {
  return known(values).length === 0 ? undefined : Math.max(...known(values));
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}
