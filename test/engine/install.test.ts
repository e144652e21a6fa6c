import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { chooseFlavour, hasNvidiaDriver } from '../../src/engine/install.ts';
import { readCudaRequirements } from '../../src/engine/library.ts';
import { tf } from '../../src/engine/tf.ts';
import { loadForTests } from './load-for-tests.ts';

test('the CUDA build is taken only where there is a driver and the processor was not asked for', () => {
  assert.equal(chooseFlavour('auto', true), 'cuda');
  assert.equal(chooseFlavour('gpu', true), 'cuda');
  assert.equal(chooseFlavour('cpu', true), 'cpu');
  assert.equal(chooseFlavour('auto', false), 'cpu');
  assert.throws(
    () => chooseFlavour('gpu', false),
    (error) => error instanceof UserError && error.message.includes('device=cpu'),
  );
});

test("WSL2's /dev/dxg is a GPU of any maker: NVIDIA's only where the driver's own files are", () => {
  const has = (...paths: string[]) => hasNvidiaDriver((path) => paths.includes(path));
  assert.equal(has(), false);
  assert.equal(has('/dev/dxg'), false);
  assert.equal(has('/dev/dxg', '/usr/lib/wsl/lib/libcuda.so.1'), true);
  assert.equal(has('/dev/dxg', '/usr/lib/wsl/lib/nvidia-smi'), true);
  assert.equal(has('/usr/bin/nvidia-smi'), false);
  assert.equal(has('/dev/nvidiactl'), true);
});

test("CUDA's runtime is what the wheel's extra asks for", () => {
  const metadata = [
    'Requires-Dist: numpy>=1.26.0',
    'Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75; extra == "and-cuda"',
    "Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7 ; extra == 'and-cuda'",
    'Requires-Dist: tensorboard; extra == "other"',
  ].join('\n');
  assert.deepEqual(readCudaRequirements(metadata), [
    'nvidia-cudnn-cu12<10.0,>=9.3.0.75',
    'nvidia-nccl-cu12<3.0,>=2.27.7',
  ]);
});

test('TensorFlow loads and computes on the device that was asked for', async () => {
  const engine = await loadForTests();
  assert.equal(engine.device, 'cpu');
  assert.equal(engine.tensorflow, '2.21.0');
  assert.deepEqual([...tf.tidy(() => tf.matMul([[1, 2]], [[3], [4]]).dataSync())], [1 * 3 + 2 * 4]);
});
