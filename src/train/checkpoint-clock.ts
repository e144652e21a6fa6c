import { readCheckpointEvery } from '../config/checkpoint-every.ts';

/** Says when training within an epoch is to be saved. */
export interface CheckpointClock {
  /** After a batch; `updated`: whether it made an update, the how-manieth is `update`. */
  isDue(batch: { update: number; updated: boolean }): boolean;
  /** A checkpoint was written, for whatever reason. */
  saved(): void;
}

/**
 * A clock that starts now.
 * @param every `checkpoint_every`
 * @param now the time in milliseconds since any fixed moment
 */
export function createCheckpointClock(every: string, now: () => number = () => performance.now()): CheckpointClock {
  const wanted = readCheckpointEvery(every);
  let last = now();
  return {
    isDue: ({ update, updated }) =>
      'updates' in wanted ? updated && update % wanted.updates === 0 : now() - last >= wanted.ms,
    saved: () => {
      last = now();
    },
  };
}
