import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tf } from '../../src/engine/tf.ts';
import { buildLoss, type LossConfig, lossConfig } from '../../src/losses/index.ts';
import { assertWithin, EXECUTIONS, type Execution } from '../engine/compare.ts';

interface Golden {
  shape: number[];
  cases: Record<string, { logits: number[]; masks: number[] }>;
  /** gradient: by the logits, where there is but one. */
  losses: { config: { name: LossConfig['name'] }; case: string; value: number; gradient?: number[] }[];
}
const stored = JSON.parse(readFileSync(new URL('../golden/losses.json', import.meta.url), 'utf8')) as Golden;
const byText = new Map(stored.losses.map(({ config }) => [JSON.stringify(config), config]));

/** What other implementations make of logits and masks (golden/losses.py); entries of one configuration share it. */
export const golden = {
  ...stored,
  configs: [...byText.values()],
  losses: stored.losses.map((loss) => ({ ...loss, config: byText.get(JSON.stringify(loss.config))! })),
};

/** Largest difference of a loss, as a share of it where it is above 1, and of a gradient, as a share of its largest slope. */
const TOLERANCE = 1e-5;

/** Logits and masks of images [N,H,W,1] each, row by row. */
interface LossInputs {
  logits: ArrayLike<number>;
  masks: ArrayLike<number>;
}

/** A loss and its gradient by the logits, for each of several inputs in one shape. */
export function runLoss(
  config: LossConfig,
  execution: Execution,
  shape: readonly number[],
  inputs: readonly LossInputs[],
): { value: number; gradient: ArrayLike<number> }[] {
  const program = EXECUTIONS[execution]([]);
  const spec = { shape, dtype: 'float32' as const };
  program.define('loss', { logits: spec, masks: spec }, ({ logits, masks }) => {
    const loss = (x: tf.Tensor) => buildLoss([config])(x as tf.Tensor4D, masks as tf.Tensor4D);
    const { value, grad } = tf.valueAndGrad(loss)(logits!);
    return { value, gradient: grad };
  });
  program.load();
  const results = inputs.map(({ logits, masks }) => {
    const run = program.run('loss', { logits: Float32Array.from(logits), masks: Float32Array.from(masks) });
    return { value: run.value![0]!, gradient: run.gradient! };
  });
  program.dispose();
  return results;
}

/** Fails where a loss, in any configuration and case of the file, is not what another implementation made of it. */
export function checkGolden(name: LossConfig['name'], execution: Execution): void {
  const { shape, cases, configs, losses } = golden;
  const ours = configs.filter((config) => config.name === name);
  assert.ok(ours.length > 0, name);
  for (const config of ours) {
    const wanted = losses.filter((loss) => loss.config === config);
    const inputs = wanted.map((loss) => cases[loss.case]!);
    const found = runLoss(lossConfig.parse(config), execution, shape, inputs);
    wanted.forEach(({ case: title, value, gradient }, i) => {
      const where = `${JSON.stringify(config)}, ${title}`;
      const allowed = TOLERANCE * Math.max(1, value);
      assert.ok(Math.abs(found[i]!.value - value) <= allowed, `${where}: ${found[i]!.value}, not ${value}`);
      if (gradient !== undefined) assertWithin(TOLERANCE, found[i]!.gradient, gradient, `the gradient, ${where}`);
    });
  }
}
