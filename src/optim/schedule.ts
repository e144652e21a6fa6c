/** Where a run stands when it asks for a learning rate. */
export interface ScheduleProgress {
  /** Updates done so far, from 0. */
  update: number;
  /** Updates that the whole run will make. */
  updates: number;
  /** The epoch under way, from 0. */
  epoch: number;
  /** The validation Dice of each epoch that is done. */
  scores: readonly number[];
}

/** The learning rate as a pure function of progress, so that a checkpoint need not store a scheduler. */
export type Schedule = (progress: ScheduleProgress) => number;

/** Of every schedule with a lowest rate: that it does not lie above the highest. */
export function lowestAtMostHighest({ lr, min_lr }: { lr: number; min_lr: number }): boolean {
  return min_lr <= lr;
}

/** What its schema says where it does. */
export const LOWEST_TOO_HIGH = { path: ['min_lr'], error: 'at most lr' };
