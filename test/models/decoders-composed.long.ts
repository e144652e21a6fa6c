import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import { readSettings } from '../../src/config/settings.ts';
import { openTerminal } from '../../src/core/terminal.ts';
import { lowPrecision } from '../../src/engine/graph/low-precision.ts';
import { withEngine } from '../../src/engine/install.ts';
import { nativeKernelsLoaded } from '../../src/engine/native-kernels.ts';
import { makeBatch, makeStep } from '../engine/steps-for-tests.ts';
import { buildSmall, type Choices } from './small-networks.ts';
import { checkTraining } from './training-contract.ts';

/** Without our own operations, as on a GPU: what is tested here is what stands in for them there. */
before(async () => {
  Object.assign(process.env, { CUDA_VISIBLE_DEVICES: '-1', TF_CPP_MIN_LOG_LEVEL: '2' });
  const { cacheDir } = await readSettings();
  await withEngine({ device: 'cpu', cacheDir }, openTerminal(process.stderr), async () => {
    createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
  });
});

const NETWORK: Choices = { norm: 'group', attention: 'scse', hypercolumns: true, encoderFrozen: true, dropout: 0 };
const build = () => buildSmall('unet', NETWORK);

test('group norm, attention and a frozen encoder keep the contract without operations of our own', () => {
  assert.equal(nativeKernelsLoaded(), false);
  checkTraining(build, 'what stands in for our operations');
});

/** The losses of updates by one batch, those left out that overflowed. */
function train(type: 'bfloat16' | 'float16' | undefined): number[] {
  const passes = type === undefined ? [] : [lowPrecision({ type, extent: 'activations' })];
  const step = makeStep(build(), { scalesLoss: type === 'float16', rewrites: { train: passes, predict: passes } });
  const losses: number[] = [];
  for (let tries = 0; losses.length < 3 && tries < 20; tries++) {
    const { updates } = step.readState().counters;
    losses[updates] = step.update(makeBatch(0), 1e-4);
  }
  step.dispose();
  return losses;
}

let exact: number[] | undefined;
for (const type of ['bfloat16', 'float16'] as const) {
  test(`the same with activations in ${type} trains as in float32, but for rounding`, () => {
    exact ??= train(undefined);
    const losses = train(type);
    const off = losses.map((value, update) => Math.abs(value / exact![update]! - 1));
    assert.ok(Math.max(...off) < 0.05, `${losses}, in float32 ${exact}`);
    assert.notDeepEqual(losses, exact, 'it was really done low');
    assert.ok(losses[2]! < losses[0]!, `${losses}`);
  });
}
