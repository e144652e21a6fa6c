import { z } from 'zod';
import { experimentKeys } from './experiment.ts';
import { type ConfigOf, optional, withDefault } from './keys.ts';
import { loadConfig } from './load-config.ts';
import { readOverride, setAt } from './overrides.ts';

const { model, loss, optimizer, resolution, batch_size, accumulation_steps, device } = experimentKeys;
const { execution, precision, deterministic, seed } = experimentKeys;

/** The keys of an experiment that make its step, and two of the benches' own. */
const keys = {
  ...{
    model,
    loss,
    optimizer,
    resolution,
    batch_size,
    accumulation_steps,
    device,
    execution,
    precision,
    deterministic,
  },
  ...{ seed },
  weights: optional(
    'A safetensors file of weights, `batch/images` and `batch/masks` to begin with.',
    z.string().min(1),
  ),
  steps: withDefault('Steps that are timed.', z.int().min(1), 10),
};

/** What is measured where no word says otherwise: the network, size and loss of the comparison with peers. */
const DEFAULTS = {
  model: { encoder: 'efficientnet-b4', decoder: 'unet' },
  loss: [{ name: 'bce' }, { name: 'dice' }],
  optimizer: { name: 'adam' },
  resolution: 256,
  batch_size: 4,
};

export type StepExperiment = ConfigOf<typeof keys> & { validation_batch_size: number };

/** The step that `key=value` words describe. Throws UserError as an experiment's file does. */
export async function stepKeys(values: Readonly<Record<string, string>>): Promise<StepExperiment> {
  const typed = Object.entries(values).map(([key, value]) => readOverride(key, value));
  const value = typed.reduce(setAt, structuredClone(DEFAULTS) as unknown);
  const locate = (path: readonly (string | number)[]) => `command line (${path.join('.')})`;
  const config = await loadConfig(keys, { value, locate });
  return { ...config, validation_batch_size: config.batch_size };
}
