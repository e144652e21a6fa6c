import type { RunRecord } from './run-record.ts';

/** The tag that tells a sweep's own run from those that train. */
export const SWEEP_TAG = 'sweep';

/** Whether a run is a sweep's own: it trains nothing itself, its units' runs do. */
export function isSweep({ tags }: Pick<RunRecord, 'tags'>): boolean {
  return tags[SWEEP_TAG] === 'true';
}
