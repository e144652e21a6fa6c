import { expected, UserError } from '../../../core/errors.ts';
import { ENCODER_STRIDE, type ModelConfig, modelConfig } from '../../../models/config.ts';
import type { CommandArgs } from '../../command.ts';

/** Images of one step. */
export interface Size {
  resolution: number;
  batchSize: number;
}

/** What is to be measured. */
export interface GpuPlan {
  model: ModelConfig;
  sizes: Size[];
  /** Steps of each process that are timed. */
  steps: number;
}

const KEYS = ['encoder', 'resolution', 'steps'];
const SIZES = '512x4,768x2,1024x1';

/** Reads the words. Throws UserError for a key that the bench does not take and for a value that it cannot use. */
export function readPlan(values: CommandArgs['values']): GpuPlan {
  const other = Object.keys(values).find((key) => !KEYS.includes(key));
  if (other !== undefined) throw new UserError(expected(KEYS.join(', '), 'the keys of bench gpu', other));
  const encoder = values.encoder ?? 'efficientnet-b4';
  const model = modelConfig.safeParse({ encoder, decoder: 'unet' });
  if (!model.success) throw new UserError(expected(modelConfig.shape.encoder.options.join(', '), 'encoder', encoder));
  const steps = values.steps ?? '20';
  if (!/^[1-9]\d{0,5}$/.test(steps)) throw new UserError(expected('a whole number from 1', 'steps', steps));
  return { model: model.data, sizes: readSizes(values.resolution ?? SIZES), steps: Number(steps) };
}

/** `512` or `512x4`, commas between. */
function readSizes(text: string): Size[] {
  return text.split(',').map((word) => {
    const [, side, count] = /^(\d{1,4})(?:[x×](\d{1,4}))?$/.exec(word) ?? [];
    const resolution = Number(side);
    const batchSize = count === undefined ? usualBatch(resolution) : Number(count);
    if (resolution > 0 && resolution % ENCODER_STRIDE === 0 && batchSize > 0) return { resolution, batchSize };
    const what = `sides that are multiples of ${ENCODER_STRIDE}, each alone or with its batch (${SIZES})`;
    throw new UserError(expected(what, 'resolution', text));
  });
}

/** About as many pixels as four images of 512² have, never less than an image. */
function usualBatch(resolution: number): number {
  return Math.max(1, Math.round((4 * 512 ** 2) / resolution ** 2));
}

/** `512² × 4`. */
export function titleOf({ resolution, batchSize }: Size): string {
  return `${resolution}² × ${batchSize}`;
}
