import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import { readSettings } from '../../src/config/settings.ts';
import { openTerminal } from '../../src/core/terminal.ts';
import { withEngine } from '../../src/engine/install.ts';
import { nativeKernelsLoaded } from '../../src/engine/native-kernels.ts';
import { checkGolden } from './golden.ts';

/** As on a GPU: without our own operations, which run on a processor only, TensorFlow's stand in for them. */
before(async () => {
  Object.assign(process.env, { CUDA_VISIBLE_DEVICES: '-1', TF_CPP_MIN_LOG_LEVEL: '2', TF_NUM_INTRAOP_THREADS: '1' });
  const { cacheDir } = await readSettings();
  await withEngine({ device: 'cpu', cacheDir }, openTerminal(process.stderr), async () => {
    createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
  });
});

for (const execution of ['eager', 'graph'] as const) {
  test(`of TensorFlow's own operations the Lovász hinge is what another implementation makes of it, ${execution}`, () => {
    assert.equal(nativeKernelsLoaded(), false);
    checkGolden('lovasz', execution);
  });
}
