import type { Experiment } from '../config/experiment.ts';
import type { NamedDoubles, NamedTensors } from '../core/safetensors.ts';
import type { AverageName } from '../models/checkpoint.ts';
import type { TrainStep } from './step.ts';
import { createWeightAverage } from './weight-average.ts';

/** Where averages stand; the moving average itself is the step's. */
export interface AveragesState {
  /** Weights in the plain mean. */
  count: number;
  sums: NamedDoubles;
  /** Updates that the moving average took in. */
  followed: number;
}

/** The averages of weights that an experiment asks for, taken while it trains. */
export interface Averages {
  /** After an update: the epoch under way, from 0, and the updates done. */
  afterUpdate(progress: { epoch: number; update: number }): void;
  /** After so many epochs. */
  afterEpoch(epochs: number): void;
  /** All that is to be kept of them to go on later: counts, and the sums of the plain mean. */
  readState(): AveragesState;
  /** What there is to validate, batch-norm statistics still those of the last epoch. */
  results(): { id: AverageName; weights: NamedTensors }[];
}

/**
 * The plain mean of weights at moments (SWA) and their moving average (EMA): ā ← ā + s·(w − ā) with s = 1 − decay, or
 * 1/updates as long as that is more, so that what training began with has no more weight than it should.
 * @param from where they stood, to go on from
 */
export function createAverages(
  { epochs, swa_epochs, swa, ema }: Pick<Experiment, 'epochs' | 'swa_epochs' | 'swa' | 'ema'>,
  step: Pick<TrainStep, 'readWeights' | 'follow' | 'readAverage'>,
  from?: AveragesState,
): Averages {
  const firstEpoch = swa?.from_epoch ?? (swa_epochs > 0 ? epochs - swa_epochs + 1 : Number.POSITIVE_INFINITY);
  const every = swa?.every_updates;
  const mean = createWeightAverage(from);
  let followed = from?.followed ?? 0;
  return {
    afterUpdate: ({ epoch, update }) => {
      if (ema !== undefined) step.follow(Math.max(1 - ema.decay, 1 / ++followed));
      if (every !== undefined && epoch + 1 >= firstEpoch && update % every === 0) mean.add(step.readWeights());
    },
    afterEpoch: (done) => {
      // A run that is stopped while it validates comes to the end of its epoch twice.
      if (every === undefined && done - firstEpoch >= mean.count()) mean.add(step.readWeights());
    },
    readState: () => ({ count: mean.count(), sums: mean.sums(), followed }),
    results: () => [
      ...(mean.count() > 0 ? [{ id: 'swa' as const, weights: mean.mean() }] : []),
      ...(followed > 0 ? [{ id: 'ema' as const, weights: step.readAverage() }] : []),
    ],
  };
}
