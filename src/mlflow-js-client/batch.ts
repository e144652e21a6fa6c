import { checkMetric, checkParam, checkTag, LIMITS } from './check.ts';
import type { Metric, Param, Tag } from './types.ts';

/** What is to be logged for one run; any part may be left out. */
export interface Batch {
  metrics?: readonly Metric[];
  params?: readonly Param[];
  tags?: readonly Tag[];
}

/** One request's worth, as it goes over the wire; of one kind only. */
export type WireBatch =
  | { metrics: { key: string; value: number | string; timestamp: number; step: number }[] }
  | { params: Param[] }
  | { tags: Tag[] };

/** Room for the braces and the run's id around the items of a request. */
const ENVELOPE_BYTES = 1000;

/**
 * Splits a batch into requests within the server's limits (1,000 metrics, 100 params, 100 tags, 1 MB), in the order
 * metrics, tags, params and never mixed: one param that conflicts rolls its whole request back, and so can take
 * nothing else with it. Throws RangeError where an item is not loggable, before anything is sent.
 */
export function splitBatch({ metrics = [], params = [], tags = [] }: Batch): WireBatch[] {
  metrics.forEach(checkMetric);
  tags.forEach(checkTag);
  params.forEach(checkParam);
  return [
    ...split(metrics.map(wireMetric), LIMITS.metrics).map((part) => ({ metrics: part })),
    ...split(tags, LIMITS.tags).map((part) => ({ tags: part })),
    ...split(params, LIMITS.params).map((part) => ({ params: part })),
  ];
}

/** NaN has no form in JSON: bare it is stored as 0, `null` is refused, the string is understood. */
function wireMetric({ key, value, timestamp, step }: Metric) {
  return { key, value: Number.isFinite(value) ? value : String(value), timestamp, step };
}

function split<T>(items: readonly T[], most: number): T[][] {
  const parts: T[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    const last = parts.at(-1);
    if (last === undefined || last.length >= most || bytes + size > LIMITS.bytes - ENVELOPE_BYTES) {
      parts.push([item]);
      bytes = size;
    } else {
      last.push(item);
      bytes += size;
    }
  }
  return parts;
}
