import type { MixtureCounts } from './epoch-mixture.ts';

/** How far a run has come: between any two batches, this and the arrays of a checkpoint are all that it goes on from. */
export interface Progress {
  /** Epochs done. */
  epoch: number;
  /** Batches of the epoch under way that are done. */
  batch: number;
  /** Updates done. */
  update: number;
  /** Losses of the batches whose gradients wait for an update. */
  losses: number[];
  /** Batches of the group under way that were left out, since their loss or gradients were no numbers. */
  skipped: number;
  /** Batches left out so, and float16 updates that could not be made, since the last update. */
  broken: number;
  /** What the epoch under way has seen. */
  mixture: MixtureCounts;
  /** Validation Dice of every epoch done. */
  scores: number[];
  /** Whether the network holds averaged weights by now, rather than those that training goes on from. */
  averaging: boolean;
}

/** Of a run that begins. */
export function beginning(): Progress {
  return {
    epoch: 0,
    batch: 0,
    update: 0,
    losses: [],
    skipped: 0,
    broken: 0,
    mixture: { seen: 0, positive: 0 },
    scores: [],
    averaging: false,
  };
}

/** The folder of a checkpoint between two validations: `update-000012`, or `update-000012-3` with three batches seen since. */
export function checkpointIdOf({ update, losses, skipped }: Progress): string {
  const seen = losses.length + skipped;
  return `update-${String(update).padStart(6, '0')}${seen === 0 ? '' : `-${seen}`}`;
}
