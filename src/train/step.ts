import type { NamedTensors } from '../core/safetensors.ts';
import type { Batch } from '../data/batch.ts';

/**
 * What training asks of whatever computes: the loop above it does not know whether kernels run one by one or as a graph.
 */
export interface TrainStep {
  /** Adds the gradients of one micro-batch to those gathered so far; returns its loss, the mean over its images. */
  accumulate(batch: Batch): number;
  /** One update by the mean gradient over the images gathered since the last one. Throws when there are none. */
  apply(lr: number): void;
  /** Loss and probabilities [N,R,R] of a batch by the moving statistics; nothing changes. */
  evaluate(batch: Batch): { loss: number; probabilities: Float32Array };
  /** Makes the batch-norm statistics the plain mean over the batches seen: of this one, the index-th from 0. */
  refreshBatchNorm(batch: Batch, index: number): void;
  /** Every weight, batch-norm statistics among them. */
  readWeights(): NamedTensors;
  /** Sets every weight. Throws when a name or shape differs. */
  writeWeights(weights: NamedTensors): void;
  /** The optimizer's slots and the number of updates done. */
  readOptimizer(): { slots: NamedTensors; updates: number };
  dispose(): void;
}
