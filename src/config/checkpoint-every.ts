import { z } from 'zod';

const EVERY = /^(?<count>[1-9]\d*) ?(?<unit>s|m|h|updates?)$/;
const SECONDS = { s: 1, m: 60, h: 3600 } as const;

/** How often training is saved within an epoch: `15m`, `30s`, `2h`, or `100 updates`. */
export const checkpointEveryConfig = z.string().regex(EVERY, 'a time or a count such as 15m, 30s, 2h or 100 updates');

/** What such a text means; throws TypeError where it is none. */
export function readCheckpointEvery(text: string): { ms: number } | { updates: number } {
  const { count, unit } = EVERY.exec(text)!.groups as {
    count: string;
    unit: keyof typeof SECONDS | 'update' | 'updates';
  };
  if (unit === 'update' || unit === 'updates') return { updates: Number(count) };
  return { ms: 1000 * SECONDS[unit] * Number(count) };
}
