import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { augmentConfig } from '../augment/index.ts';
import { MASK_SIZE } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import { extraSetConfig } from '../data/extra-sets.ts';
import { type SamplerPlan, samplerSchema } from '../data/sampler.ts';
import { normalisationConfig } from '../dicom/normalisation.ts';
import { NORMALISATION_NONE } from '../dicom/normalise.ts';
import { type LossConfig, lossConfig } from '../losses/index.ts';
import { lossSum } from '../losses/loss-sum.ts';
import { MOST_TOP } from '../models/checkpoint.ts';
import { ENCODER_STRIDE, modelConfig } from '../models/config.ts';
import { optimizerConfig, scheduleConfig } from '../optim/index.ts';
import { emaConfig, swaConfig } from './averages.ts';
import { checkpointEveryConfig } from './checkpoint-every.ts';
import type { Problem } from './describe-problem.ts';
import { initConfig } from './init.ts';
import { type CheckedParts, type ConfigOf, optional, required, withDefault } from './keys.ts';
import { loadConfig } from './load-config.ts';
import { loadYaml } from './load-yaml.ts';
import type { KeyPath } from './locate.ts';
import { resolvePath } from './paths.ts';

const count = z.int().min(1);
const path = z.string().min(1);

const phantomConfig = z.strictObject({
  /** Labelled images to train on; the test sets are in proportion. */
  images: z.int().min(4),
  seed: z.int().min(0).default(42),
});
export type PhantomConfig = z.infer<typeof phantomConfig>;

/** Every key of `experiments/*.yml`; docs/reference/experiment.md describes them at length. */
export const experimentKeys = {
  name: required(
    'Names the run, its folder and its MLflow run.',
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'up to 80 letters, digits and . _ - (first a letter or digit)'),
  ),
  init: optional('The weights to start from, a run’s or an encoder’s; left out: random weights.', initConfig),
  allow_contaminated_validation: optional(
    'true: validate on images that the run of init.from was trained on, and mark the run; left out: refuse to.',
    z.boolean(),
  ),
  data: {
    root: required('The folder of the competition’s files.', path),
    folds: required('The CSV that says which images are held out.', path),
    fold: required(
      'The fold to validate on; all others are trained on. All in turn: the word data.fold=all.',
      z.int().min(0),
    ),
    sampler: optional<SamplerPlan>('Which images an epoch sees; left out: every training image once.', samplerSchema),
    normalisation: withDefault(
      'How stored values become grey levels: none, window, minmax or clahe.',
      normalisationConfig,
      NORMALISATION_NONE,
    ),
    extra: withDefault('Further sets to train on, never validated on.', z.array(extraSetConfig), []),
    phantom: optional('Make a synthetic competition where the data root is absent.', phantomConfig),
  },
  resolution: required(
    `Side of the images in pixels, a multiple of ${ENCODER_STRIDE}.`,
    z.int().min(ENCODER_STRIDE).max(MASK_SIZE).multipleOf(ENCODER_STRIDE),
  ),
  model: required('The network: encoder and decoder.', modelConfig),
  loss: required<LossConfig | LossConfig[]>(
    'One loss, a list of losses with weights, or their sum as text: 3*bce + dice.',
    (value) => (Array.isArray(value) ? z.array(lossConfig).min(1) : typeof value === 'string' ? lossSum : lossConfig),
  ),
  optimizer: required('The rule that turns gradients into updates.', optimizerConfig),
  lr_schedule: required('The learning rate of every update.', scheduleConfig),
  batch_size: required('Images per step on the device.', count),
  accumulation_steps: withDefault('Batches whose gradients are averaged into one update.', count, 1),
  epochs: required('Passes over the training images.', count),
  gradient_clip: optional(
    'The most that the norm of all gradients together may be; left out: they stay as they are.',
    z.number().positive(),
  ),
  encoder_lr_factor: withDefault('The encoder’s learning rate over that of the rest.', z.number().positive(), 1),
  freeze_encoder_epochs: withDefault('Epochs in which the encoder stays as it is, at first.', z.int().min(0), 0),
  swa_epochs: withDefault('Average the weights over the last n epochs; 0: do not.', z.int().min(0), 0),
  swa: optional('Average the weights from an epoch on, by updates if wanted; instead of swa_epochs.', swaConfig),
  ema: optional('Keep a moving average of the weights as well.', emaConfig),
  augment: withDefault('Steps that alter training images, in order.', z.array(augmentConfig), []),
  device: withDefault('auto, cpu, or gpu (stops where there is none).', z.enum(['auto', 'cpu', 'gpu']), 'auto'),
  execution: withDefault(
    'graph: the step compiled into one TensorFlow graph; eager: kernel by kernel, to debug.',
    z.enum(['graph', 'eager']),
    'graph',
  ),
  precision: withDefault(
    'float32; mixed_bfloat16 or mixed_float16 (on a GPU): products in 16 bits, weights and sums in float32.',
    z.enum(['float32', 'mixed_bfloat16', 'mixed_float16']),
    'float32',
  ),
  deterministic: withDefault('Bit-equal repeats, at some cost in speed.', z.boolean(), false),
  seed: withDefault(
    'Seeds weights, order and augmentation.',
    z
      .int()
      .min(0)
      .max(2 ** 31 - 1),
    42,
  ),
  mlflow_experiment: withDefault('The MLflow experiment to log to.', z.string().min(1), 'siim-pneumothorax'),
  checkpoint_every: withDefault(
    'Save within an epoch too, so often: 15m, 30s, 2h or 100 updates.',
    checkpointEveryConfig,
    '15m',
  ),
  nan_tolerance: withDefault(
    'Batches in a row that may be left out because their loss or gradients are no numbers.',
    z.int().min(0),
    3,
  ),
  keep_top_k: withDefault(
    'Keep the checkpoints of the best k epochs by Dice too, as top-1 to top-k.',
    z.int().min(0).max(MOST_TOP),
    0,
  ),
  tensorboard: withDefault('Write event files for TensorBoard beside the journal.', z.boolean(), false),
  validation_batch_size: optional('Images per step of validation; left out: batch_size.', count),
};

/** A checked experiment; paths are as typed (see resolvePath). */
export type Experiment = ConfigOf<typeof experimentKeys> & { validation_batch_size: number };

/**
 * Reads an experiment, `key=value` words laid over its file, and checks all of it before anything is touched. The word
 * `quick=true` lays the file's own mapping `quick` over it first: dotted keys with values that end in minutes.
 * Throws one UserError that lists every problem with its place. Relative paths start at `cwd`.
 * @param from what the words are of, for messages
 */
export async function parseExperiment(
  file: string,
  overrides: Readonly<Record<string, string>> = {},
  cwd?: string,
  from?: string,
): Promise<Experiment> {
  const { quick = 'false', ...words } = overrides;
  if (quick !== 'true' && quick !== 'false') throw new UserError(expected('true or false', 'quick', quick));
  const source = loadYaml(file, words, cwd, { name: 'quick', wanted: quick === 'true' }, from);
  const config = await loadConfig(experimentKeys, source, (parts) => checkTogether(parts, cwd));
  return { ...config, validation_batch_size: config.validation_batch_size ?? config.batch_size };
}

/** What the keys must be to one another, and to the files that are there. */
async function checkTogether(parts: CheckedParts<typeof experimentKeys>, cwd?: string): Promise<Problem[]> {
  const { epochs, swa, data } = parts;
  const problems: Problem[] = [];
  const byEpoch: [KeyPath, number | undefined][] = [
    [['swa_epochs'], parts.swa_epochs],
    [['swa', 'from_epoch'], swa?.from_epoch],
    [['freeze_encoder_epochs'], parts.freeze_encoder_epochs],
  ];
  for (const [key, value] of byEpoch) {
    if (epochs === undefined || value === undefined || value <= epochs) continue;
    problems.push({ path: key, sentence: expected(`at most epochs (${epochs})`, key.join('.'), value) });
  }
  if (swa !== undefined && (parts.swa_epochs ?? 0) > 0) {
    problems.push({ path: ['swa_epochs'], sentence: expected('0 beside swa', 'swa_epochs', parts.swa_epochs) });
  }
  problems.push(...checkPresence(parts));
  const { execution, precision, model } = parts;
  const passes = [
    { path: ['precision'], value: precision, without: 'float32' },
    { path: ['model', 'recompute'], value: model?.recompute, without: false },
  ];
  for (const { path: key, value, without } of passes) {
    if (execution !== 'eager' || value === undefined || value === without) continue;
    const next = 'It is a pass over the graph: leave execution=eager away.';
    problems.push({ path: key, sentence: expected(`${without} with execution=eager`, key.join('.'), value, next) });
  }
  if (data.phantom === undefined) {
    problems.push(...(await checkThere('folder', ['data', 'root'], data.root, cwd)));
    problems.push(...(await checkThere('file', ['data', 'folds'], data.folds, cwd)));
  }
  for (const [index, { root, labels }] of (data.extra ?? []).entries()) {
    problems.push(...(await checkThere('folder', ['data', 'extra', index, 'root'], root, cwd)));
    problems.push(...(await checkThere('file', ['data', 'extra', index, 'labels'], labels, cwd)));
  }
  return problems;
}

/** A presence head and its loss come together, and beside a loss of pixels, which train the rest. */
function checkPresence({ model, loss }: CheckedParts<typeof experimentKeys>): Problem[] {
  if (model === undefined || loss === undefined) return [];
  const names = [loss].flat().map(({ name }) => name);
  const trained = names.includes('presence');
  if (trained && new Set(names).size === 1) {
    const next = 'Nothing else trains the masks: add one, such as bce + dice.';
    return [{ path: ['loss'], sentence: expected('a loss of pixels beside presence', 'loss', 'presence alone', next) }];
  }
  if (trained === model.presence_head) return [];
  const next = trained ? 'It trains that head: set it to true.' : 'Add `+ 0.1*presence`: nothing else trains the head.';
  return trained
    ? [
        {
          path: ['model', 'presence_head'],
          sentence: expected('true with a loss presence', 'model.presence_head', false, next),
        },
      ]
    : [
        {
          path: ['loss'],
          sentence: expected('a loss presence with model.presence_head', 'loss', names.join(' + '), next),
        },
      ];
}

/** Nothing wrong where the path leads to what it should, or failed its own check already. */
async function checkThere(kind: 'file' | 'folder', key: KeyPath, typed: string | undefined, cwd?: string) {
  if (typed === undefined) return [];
  const found = await stat(resolvePath(typed, cwd)).catch(() => undefined);
  if (kind === 'file' ? found?.isFile() : found?.isDirectory()) return [];
  return [{ path: key, sentence: expected(`a ${kind} that exists`, key.join('.'), typed, NEXT[kind]) }];
}

const NEXT = {
  folder: 'Download the competition there, or make a synthetic one: npm run phantom out=data/phantom.',
  file: 'Draw folds once: npm run folds data=… out=….',
};
